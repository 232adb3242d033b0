//! Ways to write outside of the workspace.

use std::fs;
use std::os::fd::AsRawFd;
use std::path::Path;

use pretty_assertions::assert_eq;
use sandbox::{Files, Mechanism, Network, Policy};

use crate::ground::{Free, Ground, UNRESTRICTED, assert_refused, python, run, sandboxes, shell, succeeds};

fn nothing(_: &Path) {}

#[test]
fn no_path_leads_to_a_write_outside() {
    let attempts = [
        "echo x > $OUTSIDE/file",
        "echo x >> $OUTSIDE/file",
        ": > $OUTSIDE/file",
        "rm $OUTSIDE/file",
        "mkdir $OUTSIDE/folder",
        "ln -s x $OUTSIDE/link",
        "mkfifo $OUTSIDE/pipe",
        "echo x > ../outside/file",
        "echo x > /proc/self/root/$OUTSIDE/file",
        "echo x > /proc/self/cwd/../outside/file",
        "cd /; echo x > .$OUTSIDE/file",
        "cd -P /proc/self/cwd/.. && echo x > outside/file",
    ];
    for attempt in attempts {
        assert_refused(nothing, Free::Anybody, attempt);
    }
}

#[test]
fn no_link_leads_outside() {
    let attempts = [
        "ln -s $OUTSIDE/file link && echo x > link",
        "ln -s $OUTSIDE link && echo x > link/new",
        "ln -s / link && echo x > link/$OUTSIDE/file",
        "ln -s $OUTSIDE/file link && truncate -s 0 link",
        "ln $OUTSIDE/file link && echo x > link",
        "mkdir folder && ln -s ../../outside folder/link && cp /bin/sh folder/link/",
    ];
    for attempt in attempts {
        assert_refused(nothing, Free::Anybody, attempt);
    }
}

#[test]
fn nothing_is_renamed_into_or_out_of_the_workspace() {
    let attempts = [
        "echo x > own && mv own $OUTSIDE/file",
        "echo x > own && mv -n own $OUTSIDE/new",
        "mv $OUTSIDE/file own",
        "mv $OUTSIDE own",
        "mkdir folder && mv folder $OUTSIDE/",
        // Swaps the two.
        &python(
            "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); os.mkdir(\"own\"); \
             exit(libc.renameat2(-100, b\"own\", -100, os.environb[b\"OUTSIDE\"], 2) != 0)",
        ),
    ];
    for attempt in attempts {
        assert_refused(nothing, Free::Anybody, attempt);
    }
}

#[test]
fn no_file_outside_is_emptied() {
    let attempts = [
        python("import os; os.truncate(os.environ[\"OUTSIDE\"] + \"/file\", 0)"),
        python("import os; os.open(os.environ[\"OUTSIDE\"] + \"/file\", os.O_RDONLY | os.O_TRUNC)"),
    ];
    for attempt in attempts {
        assert_refused(nothing, Free::Anybody, &attempt);
    }
}

#[test]
fn other_processes_are_no_way_outside() {
    let attempts = [
        "echo x > /proc/$TEST/root/$OUTSIDE/file",
        "echo x > /proc/$PPID/root/$OUTSIDE/file",
        "cd /proc/$TEST/root/$OUTSIDE && echo x > file",
        "exec 3<> /proc/$TEST/mem",
        "echo 0 > /proc/$TEST/oom_score_adj",
    ];
    for attempt in attempts {
        assert_refused(nothing, Free::Anybody, attempt);
    }
}

#[test]
fn what_other_processes_have_open_cannot_be_opened_again() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        let path = ground.path("outside/file");
        let file = fs::File::options().append(true).open(&path).unwrap();
        let attempt = format!("echo x >> /proc/$TEST/fd/{}", file.as_raw_fd());
        assert!(succeeds(sandbox, &ground, &UNRESTRICTED, &attempt), "is no attempt");
        assert_eq!(fs::read_to_string(&path).unwrap(), "as it wasx\n");
        assert!(!succeeds(sandbox, &ground, &ground.policy(), &attempt), "{mechanism}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "as it wasx\n", "{mechanism}");
    }
}

#[test]
fn no_mount_opens_what_is_closed() {
    let attempts = [
        "mkdir own && unshare -Urm sh -c \"mount --bind $OUTSIDE own && echo x > own/file\"",
        "unshare -Urm true",
        "unshare -U true",
        "unshare -m true",
        "nsenter -t $TEST -m sh -c \"echo x > $OUTSIDE/file\"",
        "mkdir own && mount -t tmpfs none own && umount own",
        "chroot / true",
    ];
    for attempt in attempts {
        assert_refused(nothing, Free::Root, attempt);
    }
}

#[test]
fn mounts_below_and_beside_the_workspace_are_what_the_policy_says() {
    // Where the one mechanism can make mounts, so can this test.
    let Some((mechanism, sandbox)) = sandboxes().iter().find(|(found, _)| *found == Mechanism::Namespaces)
    else {
        return;
    };
    let prepare = "mkdir sub closed \"$OUTSIDE/a b\" $OUTSIDE/twice && \
                   mount -t tmpfs none sub && mount -t tmpfs -o ro none closed && \
                   mount -t tmpfs none \"$OUTSIDE/a b\" && mount -t tmpfs none $OUTSIDE/twice && \
                   mkdir $OUTSIDE/twice/deep && mount -t tmpfs none $OUTSIDE/twice/deep && \
                   mount -t tmpfs -o nosuid,nodev,noexec,noatime none $OUTSIDE/twice && exec \"$@\"";
    let in_mounts = |attempt: &str, policy: fn(&Ground) -> Policy| {
        let ground = Ground::new();
        let plan = sandbox.plan(&policy(&ground), &shell(attempt), &ground.workspace()).unwrap();
        let mut argv: Vec<_> = ["unshare", "-Urm", "sh", "-ec", prepare, "sh"].map(Into::into).into();
        argv.extend(plan);
        let output = ground.command(&argv).output().unwrap();
        println!("{attempt}: {output:?}");
        output.status.success()
    };
    for (attempt, free, held) in [
        ("echo x > sub/file", true, true),
        ("echo x > closed/file", false, false),
        ("echo x > \"$OUTSIDE/a b/file\"", true, false),
        ("echo x > $OUTSIDE/twice/file", true, false),
        ("umount $OUTSIDE/twice", true, false),
    ] {
        assert_eq!(in_mounts(attempt, |_| UNRESTRICTED), free, "{attempt}");
        assert_eq!(in_mounts(attempt, Ground::policy), held, "{mechanism}: {attempt}");
    }
}

#[test]
fn a_descriptor_that_the_parent_leaked_is_closed() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        let leaking = |plan: &[std::ffi::OsString]| {
            let mut argv = shell("exec 9>>$OUTSIDE/file 8<$OUTSIDE; exec \"$@\"").to_vec();
            argv.push("sh".into());
            argv.extend(plan.iter().cloned());
            ground.command(&argv).output().unwrap().status.success()
        };
        for attempt in ["echo x >&9", "cd /proc/self/fd/8 && echo x > file"] {
            let attempt = shell(attempt);
            assert!(leaking(&attempt), "is no attempt");
            fs::write(ground.path("outside/file"), "as it was").unwrap();
            let plan = sandbox.plan(&ground.policy(), &attempt, &ground.workspace()).unwrap();
            assert!(!leaking(&plan), "{mechanism}");
            assert_eq!(fs::read_to_string(ground.path("outside/file")).unwrap(), "as it was", "{mechanism}");
        }
    }
}

#[test]
fn nothing_is_writable_under_a_read_only_policy() {
    let policy = Policy { files: Files::ReadOnly, network: Network::Denied };
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        for attempt in ["echo x > new", "echo x > /tmp/$$", "touch .", "echo x > $OUTSIDE/file"] {
            assert!(succeeds(sandbox, &ground, &ground.policy(), "echo x > new"), "{mechanism}");
            fs::remove_file(ground.workspace().join("new")).unwrap();
            // Landlock knows no times.
            if *mechanism != Mechanism::Landlock || attempt != "touch ." {
                assert!(!succeeds(sandbox, &ground, &policy, attempt), "{mechanism}: {attempt}");
            }
        }
        assert!(succeeds(sandbox, &ground, &policy, "cat $OUTSIDE/file && ls / > /dev/null"), "{mechanism}");
    }
}

#[test]
fn modes_and_times_outside_change_only_where_that_is_said() {
    for (mechanism, sandbox) in sandboxes() {
        for attempt in ["chmod 600 $OUTSIDE/file", "touch -d 2001-01-01 $OUTSIDE/file"] {
            let ground = Ground::new();
            let changed = succeeds(sandbox, &ground, &ground.policy(), attempt);
            assert_eq!(changed, sandbox.describe().contains("modes and times"), "{mechanism}: {attempt}");
        }
    }
}

#[test]
fn what_the_kernel_shows_as_files_is_not_written() {
    // Opened only, since nobody would want to see it succeed. The first is how root leaves many a container.
    let attempts = [
        "exec 3>> /proc/sys/kernel/core_pattern",
        "exec 3>> /proc/sysrq-trigger",
        "exec 3>> /sys/kernel/mm/ksm/run",
        "exec 3>> /sys/power/state",
        "mknod own c 1 3",
        "mknod own b 254 0",
    ];
    for (mechanism, sandbox) in sandboxes() {
        for attempt in attempts {
            let ground = Ground::new();
            assert!(!succeeds(sandbox, &ground, &ground.policy(), attempt), "{mechanism}: {attempt}");
        }
        // Even where everything is writable, these are not.
        let ground = Ground::new();
        let files =
            Files::Workspace { writable: vec!["/".into()], protected: Vec::new(), absent: Vec::new() };
        let everything = Policy { files, network: Network::Denied };
        assert!(succeeds(sandbox, &ground, &everything, "echo x > $OUTSIDE/file"), "{mechanism}");
        for attempt in attempts {
            assert!(!succeeds(sandbox, &ground, &everything, attempt), "{mechanism}: {attempt}");
        }
        let disks = "for disk in $(find /dev -type b); do if (exec 3>> $disk) 2> /dev/null; then echo $disk; fi; done";
        for policy in [ground.policy(), everything] {
            let output = run(sandbox, &ground, &policy, disks);
            assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{mechanism}");
        }
    }
}
