//! Commands on a terminal, which they share with nobody but whoever sits there.

use std::ffi::OsString;
use std::process::Command;

use pretty_assertions::assert_eq;
use sandbox::Policy;

use crate::ground::{Ground, UNRESTRICTED, python, sandboxes, shell};

/// Starts its arguments on a terminal of their own, types what `TYPED` says once they have printed something, and
/// prints all that they print. Ends with their exit code.
const TERMINAL: &str = r#"
import os, pty, sys
process, terminal = pty.fork()
if process == 0:
    os.execv(sys.argv[1], sys.argv[1:])
typed = os.environb.get(b"TYPED", b"")
while True:
    try: text = os.read(terminal, 4096)
    except OSError: break
    if not text: break
    os.write(1, text)
    os.write(terminal, typed)
    typed = b""
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"#;

/// Runs a plan on a terminal; returns its exit code and what it printed.
fn on_terminal(ground: &Ground, plan: &[OsString], typed: &str) -> (Option<i32>, String) {
    let driver = ["python3".into(), "-c".into(), TERMINAL.into()];
    let argv: Vec<_> = driver.into_iter().chain(plan.iter().cloned()).collect();
    let mut command: Command = ground.command(&argv);
    let output = command.env("TYPED", typed).output().unwrap();
    println!("{output:?}");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn plans(script: &str) -> Vec<(String, Ground, Vec<OsString>)> {
    let plan = |ground: &Ground, sandbox: &sandbox::Sandbox, policy: &Policy| {
        let mut argv = shell(script).to_vec();
        argv[0] = "/bin/sh".into();
        sandbox.plan(policy, &argv, &ground.workspace()).unwrap()
    };
    let mut plans = Vec::new();
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        let argv = plan(&ground, sandbox, &ground.policy());
        plans.push((mechanism.to_string(), ground, argv));
    }
    let ground = Ground::new();
    let argv = plan(&ground, &sandboxes()[0].1, &UNRESTRICTED);
    plans.push(("none".to_owned(), ground, argv));
    plans
}

#[test]
fn ctrl_c_is_for_the_command_to_decide_about() {
    let script = "trap \"echo caught; exit 5\" INT; echo ready; while :; do sleep 0.01; done";
    for (mechanism, ground, plan) in plans(script) {
        let (code, text) = on_terminal(&ground, &plan, "\u{3}");
        assert!(code == Some(5) && text.contains("caught"), "{mechanism}: {code:?} {text}");
    }
    for (mechanism, ground, plan) in plans("echo ready; exec sleep 20") {
        let (code, _) = on_terminal(&ground, &plan, "\u{3}");
        assert!(matches!(code, Some(130 | 254)), "{mechanism}: {code:?}"); // 128 + SIGINT, or -2 as Python has it
    }
}

#[test]
fn nothing_is_typed_into_the_terminal() {
    let script = python("import fcntl, termios; fcntl.ioctl(0, termios.TIOCSTI, b\"x\")");
    for (mechanism, ground, plan) in plans(&script) {
        let (code, text) = on_terminal(&ground, &plan, "");
        if mechanism == "none" {
            println!("without a sandbox: {code:?}"); // newer kernels refuse it to all but root
        } else {
            assert!(code == Some(1) && text.contains("not permitted"), "{mechanism}: {code:?} {text}");
        }
    }
}

#[test]
fn the_terminal_works() {
    let work = [
        "test -t 0 && test -t 1 && test -t 2",
        "echo x > /dev/tty",
        "stty rows 30 && stty size < /dev/tty | grep -x \"30 .*\"",
        "echo x > /dev/stderr",
    ];
    for script in work {
        for (mechanism, ground, plan) in plans(script) {
            assert_eq!(on_terminal(&ground, &plan, "").0, Some(0), "{mechanism}: {script}");
        }
    }
}

#[test]
fn new_terminals_are_made_where_mounts_keep_those_of_others_out() {
    let script = python("import os, pty; a, b = pty.openpty(); open(os.ttyname(b), \"w\")");
    for (mechanism, ground, plan) in plans(&script) {
        let made = on_terminal(&ground, &plan, "").0 == Some(0);
        assert_eq!(made, mechanism != "Landlock", "{mechanism}");
    }
}
