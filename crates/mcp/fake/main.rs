//! A server for tests: speaks the protocol on its standard input and output, and misbehaves as asked.
//!
//! `fake-mcp-server FOLDER [MODE]` writes what happens to it to `FOLDER/log`, one line each, and holds the lock of
//! `FOLDER/PID` as long as it lives.

use std::{
    collections::BTreeMap,
    env,
    fs::{File, OpenOptions},
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

use serde_json::{Value, json};

struct Fake {
    folder: PathBuf,
    mode: String,
    tools: Vec<Value>,
    /// The calls that wait for an answer to their question, by its id.
    asking: BTreeMap<i64, Value>,
    /// The calls that are answered with the next one of `finish`.
    working: Vec<Value>,
}

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let folder = PathBuf::from(args.next().unwrap_or_default());
    let mode = args.next().unwrap_or_default();
    let lock = File::create(folder.join(process::id().to_string()))?;
    lock.lock()?;
    let mut fake = Fake { tools: tools(&mode), folder, mode, asking: BTreeMap::new(), working: Vec::new() };
    fake.log(&format!("start {}", process::id()))?;
    fake.misbehave();
    for line in io::stdin().lock().lines() {
        let message: Value = serde_json::from_str(&line?)?;
        fake.take(&message)?;
    }
    if fake.mode == "stubborn" {
        rest();
    }
    Ok(())
}

/// Stays until it is killed.
fn rest() {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

fn tools(mode: &str) -> Vec<Value> {
    if mode == "odd-tools" {
        return vec![
            json!({ "name": "good", "inputSchema": { "type": "object" } }),
            json!({ "name": 5 }),
            json!("odd"),
        ];
    }
    let tool = |name| json!({ "name": name, "description": format!("does {name}"), "inputSchema": { "type": "object" } });
    let names = ["echo", "env", "fail", "ask", "hang", "die", "long", "grow", "spawn", "work", "finish"];
    names.map(tool).into()
}

fn text(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }] })
}

impl Fake {
    fn misbehave(&self) {
        match self.mode.as_str() {
            "silent" => rest(),
            "exit" => {
                let _ = writeln!(io::stderr(), "no configuration found");
                process::exit(3);
            }
            "rest" => rest(),
            "garbage" => {
                let _ = writeln!(io::stdout(), "welcome!\n{{ not json\n{{\"a\":1}}\n\u{0}\n");
            }
            _ => {}
        }
    }

    fn log(&self, line: &str) -> io::Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(self.folder.join("log"));
        log?.write_all(format!("{line}\n").as_bytes())
    }

    fn send(&self, message: &Value) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{message}")?;
        out.flush()
    }

    fn answer(&self, id: &Value, result: &Value) -> io::Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
    }

    fn take(&mut self, message: &Value) -> io::Result<()> {
        let (id, params) = (&message["id"], &message["params"]);
        let Some(method) = message["method"].as_str() else { return self.take_answer(message) };
        self.log(method)?;
        match method {
            "initialize" => self.answer(
                id,
                &json!({
                    "protocolVersion": params["protocolVersion"],
                    "capabilities": { "tools": { "listChanged": true }, "resources": {} },
                    "serverInfo": { "name": "fake", "version": "1" },
                }),
            ),
            "ping" => self.answer(id, &json!({})),
            "tools/list" => self.answer(id, &json!({ "tools": self.tools })),
            "tools/call" => self.call(id, params),
            "resources/list" if params["cursor"].is_null() => self
                .answer(id, &json!({ "resources": [{ "uri": "fake://a", "name": "a" }], "nextCursor": "2" })),
            "resources/list" => {
                self.answer(id, &json!({ "resources": [{ "uri": "fake://b", "name": "b" }] }))
            }
            "resources/templates/list" => {
                let template = json!({ "uriTemplate": "fake://{x}", "name": "t" });
                self.answer(id, &json!({ "resourceTemplates": [template] }))
            }
            "resources/read" if params["uri"] == "fake://a" => {
                self.answer(id, &json!({ "contents": [{ "uri": "fake://a", "text": "hello" }] }))
            }
            _ if id.is_null() => Ok(()),
            _ => self.refuse(id),
        }
    }

    fn refuse(&self, id: &Value) -> io::Result<()> {
        let error = json!({ "code": -32002, "message": "no such thing", "data": { "a": 1 } });
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "error": error }))
    }

    fn call(&mut self, id: &Value, params: &Value) -> io::Result<()> {
        let arguments = &params["arguments"];
        match params["name"].as_str().unwrap_or_default() {
            "echo" => {
                let mut result = text(&arguments.to_string());
                result["structuredContent"] = json!({ "arguments": arguments });
                result["_meta"] = json!({ "mark": params["_meta"]["mark"] });
                self.answer(id, &result)
            }
            "env" => {
                let all: BTreeMap<_, _> = env::vars().collect();
                let cwd = env::current_dir()?;
                let mut result = text("");
                result["structuredContent"] = json!({ "env": all, "cwd": cwd });
                self.answer(id, &result)
            }
            "fail" => {
                let mut result = text("bad");
                result["isError"] = true.into();
                self.answer(id, &result)
            }
            "ask" => {
                let question = 1000 + i64::try_from(self.asking.len()).unwrap_or_default();
                self.asking.insert(question, id.clone());
                let params = arguments;
                self.send(&json!({ "jsonrpc": "2.0", "id": question, "method": "elicitation/create", "params": params }))
            }
            "hang" => Ok(()),
            "die" => {
                let _ = writeln!(io::stderr(), "dying of a call");
                process::exit(4);
            }
            "long" => {
                let bytes = arguments["bytes"].as_u64().and_then(|bytes| usize::try_from(bytes).ok());
                self.answer(id, &text(&"x".repeat(bytes.unwrap_or_default())))
            }
            "grow" => {
                self.tools.push(json!({ "name": "grown", "inputSchema": { "type": "object" } }));
                self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" }))?;
                self.answer(id, &text("grew"))
            }
            "work" => {
                self.working.push(id.clone());
                let mut note = json!({ "progressToken": params["_meta"]["progressToken"] });
                for (key, value) in arguments.as_object().into_iter().flatten() {
                    note[key] = value.clone();
                }
                self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": note }))
            }
            "finish" => {
                let working = std::mem::take(&mut self.working);
                working.iter().chain([id]).try_for_each(|id| self.answer(id, &text("finished")))
            }
            "spawn" => {
                let child = spawn(&self.folder)?;
                self.answer(id, &text(&child))
            }
            _ => self.refuse(id),
        }
    }

    /// Ends a call with what its question was answered.
    fn take_answer(&mut self, message: &Value) -> io::Result<()> {
        let call = message["id"].as_i64().and_then(|id| self.asking.remove(&id));
        let Some(call) = call else { return Ok(()) };
        let mut result = text("");
        result["structuredContent"] = match message.get("result") {
            Some(answer) => answer.clone(),
            None => message["error"].clone(),
        };
        self.answer(&call, &result)
    }
}

/// Starts one that rests, and returns its process id once it holds its lock.
fn spawn(folder: &Path) -> io::Result<String> {
    let mut child = process::Command::new(env::current_exe()?);
    let child = child.arg(folder).arg("rest").stdin(process::Stdio::null()).stdout(process::Stdio::null());
    let id = child.spawn()?.id();
    let started = format!("start {id}\n");
    while !std::fs::read_to_string(folder.join("log"))?.contains(&started) {
        thread::yield_now();
    }
    Ok(id.to_string())
}
