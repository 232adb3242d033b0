//! Commands that do not start, and what is said of them.

use std::{
    error::Error,
    fs,
    os::unix::fs::PermissionsExt,
    process::{self, Command},
};

use pretty_assertions::assert_eq;
use tools::exec::{Launch, Sessions, Supervisor};

use super::{PIPES, TERMINAL, argv, label, processes, ran, sessions, sh};

/// The message of a command that does not start, and that of its cause.
async fn refused(sessions: &Sessions, launch: Launch) -> (String, String) {
    let error = sessions.start(launch, label()).await.unwrap_err();
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    (error.to_string(), cause)
}

#[tokio::test]
async fn a_command_that_cannot_start_names_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    fs::write(&file, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let (file, missing) = (file.to_str().unwrap(), "No such file or directory (os error 2)");
    let cases = [
        (argv(PIPES, &["no-such-program"]), "cannot run no-such-program", missing),
        (argv(TERMINAL, &["./no-such-program"]), "cannot run ./no-such-program", missing),
        (argv(PIPES, &[file]), &format!("cannot run {file}"), "Permission denied (os error 13)"),
        (Launch { cwd: "/no/such".into(), ..sh(PIPES, "true") }, "cannot enter the folder /no/such", missing),
        (
            Launch { cwd: file.into(), ..sh(PIPES, "true") },
            &format!("cannot enter the folder {file}"),
            "Not a directory (os error 20)",
        ),
        (
            argv(PIPES, &["echo", &"x".repeat(400_000)]),
            "cannot run echo",
            "Argument list too long (os error 7)",
        ),
        (argv(PIPES, &[]), "command must not be empty", ""),
        (argv(PIPES, &["echo", "\0"]), r#"NUL byte in "\0""#, ""),
    ];
    let sessions = sessions();
    for (launch, message, cause) in cases {
        assert_eq!(refused(&sessions, launch).await, (message.to_owned(), cause.to_owned()));
    }
    assert!(sessions.list().is_empty());
}

#[tokio::test]
async fn a_supervisor_that_cannot_start_is_named() {
    let cases = [
        ("/no/such/skein", "No such file or directory (os error 2)"),
        // Ends at once, without having read anything.
        ("/bin/true", "unexpected end of file"),
    ];
    for (program, cause) in cases {
        let supervisor = Supervisor { program: program.into(), args: Vec::new() };
        let (message, told) = refused(&Sessions::new(supervisor, 1), sh(PIPES, "true")).await;
        assert_eq!(message, format!("cannot start the supervisor {program}"));
        assert!(told.contains(cause) || told.contains("Broken pipe") || told.contains("reset"), "{told}");
    }
}

#[tokio::test]
async fn a_command_gets_its_arguments_folder_and_environment_and_nothing_else() {
    let sessions = sessions();
    let launch = Launch {
        cwd: "/usr".into(),
        env: [("PATH".into(), "/usr/bin:/bin".into()), ("A".into(), "b c".into())].into(),
        ..argv(PIPES, &["sh", "-c", "pwd; printf '%s|' \"$@\"; echo; env", "zero", "a b", "", "c\nd"])
    };
    let (session, _live) = sessions.start(launch, label()).await.unwrap();
    session.exit().await;
    let mut lines: Vec<_> = session.output().text().lines().map(str::to_owned).collect();
    // What the shell itself adds.
    lines.retain(|line| !["PWD=", "SHLVL=", "_=", "OLDPWD="].iter().any(|own| line.starts_with(own)));
    lines.sort_unstable();
    assert_eq!(lines, ["/usr", "A=b c", "PATH=/usr/bin:/bin", "a b||c", "d|"]);
}

#[tokio::test]
async fn a_command_starts_as_any_child_of_the_server_would() {
    let script = "ls /proc/self/fd; grep -e Sig[BI] /proc/self/status; umask; ulimit -a";
    let session = ran(&sessions(), PIPES, script).await;
    let child = Command::new("/bin/sh").args(["-c", script]).stdin(process::Stdio::null()).output().unwrap();
    assert_eq!(session.output().text(), String::from_utf8(child.stdout).unwrap());
}

#[tokio::test]
async fn who_searches_for_a_word_of_the_command_does_not_find_its_owners() {
    let sessions = sessions();
    let (session, _live) = sessions.start(sh(PIPES, "sleep 100; : rare-word"), label()).await.unwrap();
    // Between its birth and its program, a child has the words of the shell.
    processes::until_below(session.pid(), "sleep", 1).await;
    let with_word = |process: &processes::Process| {
        let line = fs::read_to_string(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
        line.contains("rare-word")
    };
    let found: Vec<_> =
        processes::owned(session.pid()).into_iter().filter(with_word).map(|found| found.pid).collect();
    assert_eq!(found, [session.pid()]);
}
