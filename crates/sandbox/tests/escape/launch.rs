//! Launches that come to nothing, and what is said then.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use pretty_assertions::assert_eq;
use sandbox::{Files, Mechanism, Network, Policy, Sandbox, SandboxError};

use crate::ground::{Ground, UNRESTRICTED, helper, sandboxes};

#[test]
fn without_a_working_mechanism_only_unrestricted_commands_are_planned() {
    let sandbox = Sandbox::probe(PathBuf::from("/nonexistent/helper"));
    assert_eq!(sandbox.in_force(), None);
    let argv = [OsString::from("true")];
    assert_eq!(sandbox.plan(&UNRESTRICTED, &argv, "/".as_ref()).unwrap(), argv);
    for files in [Files::ReadOnly, Ground::new().described().files(), Files::Full] {
        let policy = Policy { files, network: Network::Denied };
        let error = sandbox.plan(&policy, &argv, "/".as_ref()).unwrap_err();
        assert!(matches!(error, SandboxError::Unavailable { .. }), "{error:?}");
        let text = error.report();
        for part in ["is not run", "bubblewrap: ", "namespaces: ", "Landlock: ", "/nonexistent/helper"] {
            assert!(text.contains(part), "{part} is missing: {text}");
        }
    }
}

#[test]
fn a_helper_that_confines_nothing_is_not_believed() {
    // It does what it is told, but for the sandbox.
    for helper in ["/bin/true", "/bin/echo"] {
        let sandbox = Sandbox::probe(helper.into());
        assert_eq!(sandbox.in_force(), None, "{}", sandbox.describe());
    }
}

#[test]
fn the_best_that_works_is_in_force_and_says_so() {
    let sandbox = Sandbox::probe(helper());
    let (best, _) = sandboxes()[0];
    assert_eq!(sandbox.in_force(), Some(best));
    let said = sandbox.describe();
    assert!(said.contains(&best.to_string()) && said.contains("seccomp"), "{said}");
    let better: Vec<_> = Mechanism::ALL.into_iter().take_while(|mechanism| *mechanism != best).collect();
    let mut explained: Vec<_> = sandbox.why_not().iter().map(|(mechanism, _)| *mechanism).collect();
    explained.dedup();
    assert_eq!(explained, better);
}

#[test]
fn what_cannot_be_run_ends_as_in_a_shell_and_says_why() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        fs::write(ground.workspace().join("text"), "").unwrap();
        let cases = [
            ("no-such-program", 127, "cannot run no-such-program: No such file or directory"),
            ("./text", 126, "cannot run ./text: Permission denied"),
            ("/", 126, "cannot run /: Permission denied"),
        ];
        for (program, code, said) in cases {
            let plan = sandbox.plan(&ground.policy(), &[program.into()], &ground.workspace()).unwrap();
            let output = ground.command(&plan).output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{mechanism}: {program}");
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(stderr.contains(said) && stderr.lines().count() == 1, "{mechanism}: {stderr}");
        }
    }
}

#[test]
fn a_command_that_cannot_be_confined_is_not_run() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        let touch = ["touch".into(), ground.workspace().join("done").into_os_string()];
        let plan = sandbox.plan(&ground.policy(), &touch, &ground.path("nowhere")).unwrap();
        let output = ground.command(&plan).output().unwrap();
        assert_eq!(output.status.code(), Some(125), "{mechanism}: {output:?}");
        assert!(!ground.workspace().join("done").exists(), "{mechanism}");
        let order = plan.iter().position(|argument| argument == "__confine").unwrap() + 1;
        for damaged in ["", "{}", "null"] {
            let mut plan = plan.clone();
            plan[order] = damaged.into();
            let output = ground.command(&plan).output().unwrap();
            assert_eq!(output.status.code(), Some(125), "{mechanism}: {output:?}");
        }
    }
}

#[test]
fn a_policy_whose_paths_cannot_be_written_down_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let path = PathBuf::from(OsString::from_vec(b"/\xff".to_vec()));
    let policy = Policy {
        files: Files::Workspace { writable: vec![path], protected: Vec::new(), absent: Vec::new() },
        network: Network::Denied,
    };
    for (_, sandbox) in sandboxes() {
        let error = sandbox.plan(&policy, &["true".into()], "/".as_ref()).unwrap_err();
        assert!(matches!(error, SandboxError::Encode(_)), "{error:?}");
    }
}
