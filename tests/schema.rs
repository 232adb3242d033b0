//! `app-server generate-json-schema` and `generate-ts`: what client authors build on.

use std::fs;
use std::path::Path;

use pretty_assertions::assert_eq;
use serde_json::Value;
use testkit::{Home, Launch};

/// Params of `thread/start` that a client has to ask for in its handshake, and some for everybody.
const EXPERIMENTAL: [&str; 2] = ["runtimeWorkspaceRoots", "permissions"];
const STABLE: [&str; 3] = ["cwd", "approvalPolicy", "ephemeral"];

/// Writes a bundle into a folder of the home, and returns the text of one of its files.
fn written(home: &Home, command: &str, folder: &Path, experimental: bool, file: &str) -> String {
    let out = folder.display().to_string();
    let mut args = vec!["app-server", command, "--out", &out];
    if experimental {
        args.push("--experimental");
    }
    let run = Launch::on(home).args(args).command().output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(run.stdout.is_empty());
    fs::read_to_string(folder.join(file)).unwrap()
}

#[test]
fn the_json_schema_lies_as_published() {
    let home = Home::new();
    let folder = home.work().join("made/for/it");
    written(&home, "generate-json-schema", &folder, false, "ClientRequest.json");
    for name in [
        "ClientRequest.json",
        "ServerNotification.json",
        "JSONRPCError.json",
        "RequestId.json",
        "v1/InitializeParams.json",
        "v1/InitializeResponse.json",
        "v2/ThreadStartParams.json",
        "v2/ThreadStartResponse.json",
        "v2/TurnCompletedNotification.json",
    ] {
        let text = fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let document: Value = serde_json::from_str(&text).unwrap();
        assert!(document["$schema"].as_str().is_some_and(|draft| draft.contains("draft-07")), "{name}");
    }
}

#[test]
fn the_typescript_lies_as_published() {
    let home = Home::new();
    let folder = home.work().join("ts");
    let index = written(&home, "generate-ts", &folder, false, "index.ts");
    assert!(index.contains("\"./ClientRequest\"") && index.contains("v2"), "{index}");
    for (name, declared) in [
        ("ClientRequest.ts", "export type ClientRequest ="),
        ("v2/index.ts", "\"./ThreadStartParams\""),
        ("v2/ThreadStartParams.ts", "export type ThreadStartParams ="),
        ("v2/Turn.ts", "export type Turn ="),
    ] {
        let text = fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(text.contains(declared), "{name}: {text}");
    }
}

#[test]
fn what_is_experimental_is_written_when_asked_for() {
    let home = Home::new();
    for (command, file) in
        [("generate-json-schema", "v2/ThreadStartParams.json"), ("generate-ts", "v2/ThreadStartParams.ts")]
    {
        let [stable, all] = [false, true].map(|experimental| {
            let folder = home.work().join(format!("{command}-{experimental}"));
            written(&home, command, &folder, experimental, file)
        });
        let names = |text: &str, fields: &[&str]| -> Vec<_> {
            let declares = |field: &&str| {
                text.contains(&format!("\"{field}\": ")) || text.contains(&format!("{field}?: "))
            };
            fields.iter().map(declares).collect()
        };
        assert_eq!(names(&stable, &STABLE), [true; 3], "{command}");
        assert_eq!(names(&stable, &EXPERIMENTAL), [false; 2], "{command}");
        assert_eq!(
            (names(&all, &STABLE), names(&all, &EXPERIMENTAL)),
            (vec![true; 3], vec![true; 2]),
            "{command}"
        );
    }
}

#[test]
fn a_place_that_cannot_be_written_is_told() {
    let home = Home::new();
    let file = home.work().join("file");
    fs::write(&file, "").unwrap();
    let out = file.join("below").display().to_string();
    let run =
        Launch::on(&home).args(["app-server", "generate-ts", "--out", &out]).command().output().unwrap();
    let told = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert!(told.contains(&out), "{told}");
}
