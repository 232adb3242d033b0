//! What can be done to processes outside.

use std::process::{Child, Command, Stdio};

use pretty_assertions::assert_eq;
use sandbox::Sandbox;

use crate::ground::{Ground, UNRESTRICTED, python, run, sandboxes, succeeds};

/// A process that does nothing until its end.
struct Victim(Child);

impl Victim {
    fn new() -> Self {
        Self(Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn attempted(&self, sandbox: &Sandbox, policy: &sandbox::Policy, script: &str) -> bool {
        let script = format!("VICTIM={}; export VICTIM; {script}", self.0.id());
        succeeds(sandbox, &Ground::new(), policy, &script)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn no_process_outside_is_traced_or_read() {
    let of_the_victim = "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); \
                         libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]; \
                         victim = int(os.environ[\"VICTIM\"])";
    let attempts = [
        // PTRACE_ATTACH, and PTRACE_SEIZE, which does not stop it.
        python(&format!("{of_the_victim}; exit(libc.ptrace(0x4206, victim, None, None) != 0)")),
        python(&format!("{of_the_victim}; exit(libc.ptrace(16, victim, None, None) != 0)")),
        python(&format!("{of_the_victim}; open(f\"/proc/{{victim}}/mem\", \"r+b\", buffering=0)")),
        python(&format!("{of_the_victim}; open(f\"/proc/{{victim}}/environ\").read()")),
        "prlimit --pid $VICTIM --nofile=0".to_owned(),
    ];
    for (mechanism, sandbox) in sandboxes() {
        for attempt in &attempts {
            assert!(Victim::new().attempted(sandbox, &UNRESTRICTED, attempt), "is no attempt: {attempt}");
            let policy = Ground::new().policy();
            assert!(!Victim::new().attempted(sandbox, &policy, attempt), "{mechanism}: {attempt}");
        }
    }
}

#[test]
fn processes_outside_are_ended_only_where_that_is_said() {
    for (mechanism, sandbox) in sandboxes() {
        let policy = Ground::new().policy();
        let ended = Victim::new().attempted(sandbox, &policy, "kill -9 $VICTIM");
        assert_eq!(ended, sandbox.describe().contains("can end"), "{mechanism}: {}", sandbox.describe());
    }
}

#[test]
fn processes_outside_are_seen_only_where_that_is_said() {
    for (mechanism, sandbox) in sandboxes() {
        let policy = Ground::new().policy();
        let seen = Victim::new().attempted(sandbox, &policy, "cat /proc/$VICTIM/comm | grep -x cat");
        assert_eq!(seen, sandbox.describe().contains("see other processes"), "{mechanism}");
    }
}

#[test]
fn a_command_may_do_with_its_children_what_it_likes() {
    let work = [
        "sleep 100 & kill $! ; wait $!; test $? = 143",
        "(exit 3) & wait $!; test $? = 3",
        "timeout 0.1 sleep 100; test $? = 124",
    ];
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        for script in work {
            let output = run(sandbox, &ground, &ground.policy(), script);
            assert!(output.status.success(), "{mechanism}: {script}: {output:?}");
        }
    }
}
