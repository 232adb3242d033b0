//! What a command is for: all of it works.

use std::fs;

use pretty_assertions::assert_eq;
use sandbox::{Files, Mechanism, Network, Policy};

use crate::ground::{Ground, run, sandboxes, succeeds};

#[test]
fn ordinary_work_is_possible() {
    let work = [
        "echo x > new && cat new && rm new",
        "mkdir -p a/b && echo x > a/b/c && mv a/b/c a/d && rm -r a",
        "ln -s a link && echo x > a && cat link && chmod 600 a && touch a",
        "ls / > /dev/null && cat /etc/passwd | sort | uniq | head -n 1",
        "echo x > /dev/null; head -c 8 /dev/urandom | wc -c",
        "sleep 0 & wait; (echo a; echo b) | tee out | wc -l",
        "cat /proc/self/status > /dev/null && test -e /proc/self/exe && test -d /proc/$$",
        "cat <<E\nhere\nE",
        "echo x > /dev/stdout && echo x > /dev/stderr && echo x > /proc/self/fd/1",
        "mkfifo pipe && (echo x > pipe &) && cat pipe",
        "git init -q repo && cd repo && echo x > f && git add f && git -c user.name=x -c user.email=x@y commit -qm x",
        "git init -q other && git -C other status",
        "python3 -c \"print(6 * 7)\"",
        "python3 -c \"import subprocess, threading; t = threading.Thread(target=print); t.start(); t.join(); \
         subprocess.run([\\\"true\\\"], check=True)\"",
        "python3 -c \"import os; os.memfd_create(\\\"x\\\")\"",
        "printf \"all:\\n\\ttouch made\\n\" > Makefile && make -j2 && test -e made",
        "cp /bin/true here && ./here",
        "ulimit -n > /dev/null && ulimit -n 100",
    ];
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        for script in work {
            let output = run(sandbox, &ground, &ground.policy(), script);
            assert!(output.status.success(), "{mechanism}: {script}: {output:?}");
        }
    }
}

#[test]
fn every_writable_folder_is_writable_and_temporary_ones_unless_excluded() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        fs::create_dir(ground.path("further")).unwrap();
        fs::create_dir(ground.path("temporary")).unwrap();
        let (cwd, further, temporary) =
            (ground.workspace(), ground.path("further"), ground.path("temporary"));
        let can = |files: &Files, path: &str| {
            let policy = Policy { files: files.clone(), network: Network::Denied };
            succeeds(sandbox, &ground, &policy, &format!("f=$(mktemp {path}/XXXXXX) && rm $f"))
        };
        for exclude in [false, true] {
            let files = sandbox::Workspace {
                cwd: &cwd,
                writable_roots: std::slice::from_ref(&further),
                tmpdir: Some(&temporary),
                exclude_tmpdir: exclude,
                exclude_slash_tmp: exclude,
                protected: &[],
            }
            .files();
            for (path, expected) in
                [(".", true), ("../further", true), ("../temporary", !exclude), ("/tmp", !exclude)]
            {
                assert_eq!(can(&files, path), expected, "{mechanism}: {path}, excluded: {exclude}");
            }
        }
    }
}

#[test]
fn shared_memory_is_there_where_it_is_the_sandboxs_own() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        let script = "python3 -c \"import multiprocessing; multiprocessing.Lock()\"";
        let works = succeeds(sandbox, &ground, &ground.policy(), script);
        assert_eq!(works, *mechanism != Mechanism::Landlock, "{mechanism}");
        if works {
            let name = format!("/dev/shm/sandbox-test-{}", std::process::id());
            assert!(succeeds(sandbox, &ground, &ground.policy(), &format!("echo x > {name}")), "{mechanism}");
            assert!(!fs::exists(name).unwrap(), "{mechanism}");
        }
    }
}

#[test]
fn the_environment_the_folder_and_the_streams_are_those_of_the_caller() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        let sub = ground.workspace().join("sub");
        fs::create_dir(&sub).unwrap();
        let argv = ["sh", "-c", "pwd; echo $OUTSIDE; echo $0 $1; echo error >&2; exit 7", "zero", "one two"];
        let plan = sandbox.plan(&ground.policy(), &argv.map(Into::into), &sub).unwrap();
        let output = ground.command(&plan).output().unwrap();
        let expected = format!("{}\n{}\nzero one two\n", sub.display(), ground.path("outside").display());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{mechanism}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "error\n", "{mechanism}");
        assert_eq!(output.status.code(), Some(7), "{mechanism}");
    }
}
