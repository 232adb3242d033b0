//! What is protected inside of what may be written.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use pretty_assertions::assert_eq;
use sandbox::{Mechanism, Network, Policy};

use crate::ground::{Free, Ground, assert_refused, sandboxes, shell, succeeds};

/// A workspace that is a repository and has settings.
fn repository(ground: &Path) {
    let workspace = ground.join("workspace");
    git(&workspace, &["init", "-q"]);
    fs::create_dir(workspace.join(".codex")).unwrap();
    fs::write(workspace.join(".codex/config.toml"), "").unwrap();
    fs::create_dir(workspace.join("src")).unwrap();
    fs::write(workspace.join("README"), "").unwrap();
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=x", "-c", "user.email=x@y", "-c", "init.defaultBranch=main"]);
    assert!(command.arg("-C").arg(folder).args(arguments).status().unwrap().success());
}

#[test]
fn the_repository_and_the_settings_of_a_workspace_are_read_only() {
    let attempts = [
        "echo x >> .git/config",
        "echo x > .git/hooks/pre-commit",
        "rm .git/HEAD",
        "git config core.fsmonitor ./evil",
        "mv .git elsewhere",
        "mv .git src/",
        "rm -rf .git",
        "mkdir evil && rm -rf .git; ln -s -T evil .git",
        "mkdir evil && rm -r .codex; mv -T evil .codex",
        "ln .git/config src/config && echo x > src/config",
        "mv .git/config src/config",
        "cd .git && echo x > config",
        "ln -s ../.git src/link && echo x > src/link/config",
        "echo x > .codex/config.toml",
        "rm .codex/config.toml",
        "rmdir .codex || mv .codex elsewhere",
    ];
    for attempt in attempts {
        assert_refused(repository, Free::Anybody, attempt);
    }
}

#[test]
fn a_repository_that_lies_elsewhere_is_read_only_too() {
    // A worktree, whose repository is another writable folder; and a repository beside its files.
    let prepare = |ground: &Path| {
        let main = ground.join("workspace/main");
        fs::create_dir(&main).unwrap();
        git(&main, &["init", "-q"]);
        git(&main, &["commit", "-q", "--allow-empty", "-m", "x"]);
        git(&main, &["worktree", "add", "-q", "../worktree"]);
        fs::create_dir(ground.join("workspace/apart")).unwrap();
        git(&ground.join("workspace/apart"), &["init", "-q", "--separate-git-dir", "../store"]);
    };
    let attempts = [
        ("worktree", "echo x >> ../main/.git/config"),
        ("worktree", "echo x >> ../main/.git/worktrees/worktree/HEAD"),
        ("worktree", "echo gitdir: evil > .git"),
        ("worktree", "rm .git"),
        ("worktree", "mv .git elsewhere"),
        ("apart", "echo x >> ../store/config"),
        ("apart", "mv ../store ../elsewhere"),
    ];
    for (mechanism, sandbox) in sandboxes() {
        for (folder, attempt) in attempts {
            let ground = Ground::new();
            prepare(&ground.path(""));
            let mut described = ground.described();
            described.cwd = ground.workspace().join(folder);
            described.writable_roots = vec![ground.workspace()];
            let policy = Policy { files: described.files(), network: Network::Denied };
            let script = format!("cd {folder} && {attempt}");
            assert!(!succeeds(sandbox, &ground, &policy, &script), "{mechanism}: {script}");
            let work = format!("mkdir -p {folder}/src && git -C {folder} status -s");
            // Under Landlock alone, no folder can be made next to what is protected.
            let work = if *mechanism == Mechanism::Landlock { "git -C apart status -s" } else { &work };
            assert!(succeeds(sandbox, &ground, &policy, work), "{mechanism}: {work}");
        }
    }
}

#[test]
fn a_repository_above_the_workspace_is_read_only_even_below_another_writable_folder() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        repository(&ground.path(""));
        let mut described = ground.described();
        described.cwd = ground.workspace().join("src");
        described.slash_tmp = true;
        let policy = Policy { files: described.files(), network: Network::Denied };
        assert!(succeeds(sandbox, &ground, &policy, "echo x > src/file && git -C src status"), "{mechanism}");
        assert!(!succeeds(sandbox, &ground, &policy, "echo x > .git/config"), "{mechanism}");
    }
}

#[test]
fn the_home_of_the_server_is_read_only_wherever_it_is() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        for folder in ["workspace/home/sessions", "workspace/home/worktrees/one", "workspace/other"] {
            fs::create_dir_all(ground.path(folder)).unwrap();
        }
        let mut described = ground.described();
        described.protected = vec![ground.path("workspace/home")];
        described.writable_roots = vec![ground.path("workspace/home/worktrees/one")];
        let policy = Policy { files: described.files(), network: Network::Denied };
        for (attempt, expected) in [
            ("echo x > home/config.toml", false),
            ("echo x > home/sessions/file", false),
            ("mv home other/", false),
            ("echo x > other/file", true),
            // Named by itself, so it is open again.
            ("echo x > home/worktrees/one/file", true),
        ] {
            assert_eq!(succeeds(sandbox, &ground, &policy, attempt), expected, "{mechanism}: {attempt}");
        }
    }
}

#[test]
fn the_way_to_what_is_protected_cannot_be_replaced() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        fs::create_dir_all(ground.path("workspace/a/b/home")).unwrap();
        let mut described = ground.described();
        described.protected = vec![ground.path("workspace/a/b/home")];
        let policy = Policy { files: described.files(), network: Network::Denied };
        for attempt in
            ["mv a/b a/c && mkdir -p a/b/home", "mv a c && mkdir -p a/b/home && echo x > a/b/home/file"]
        {
            assert!(!succeeds(sandbox, &ground, &policy, attempt), "{mechanism}: {attempt}");
        }
        assert_eq!(fs::read_dir(ground.path("workspace/a/b/home")).unwrap().count(), 0, "{mechanism}");
    }
}

#[test]
fn a_repository_that_is_a_symbolic_link_can_neither_be_written_nor_replaced() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        repository(&ground.path(""));
        let workspace = ground.workspace();
        fs::create_dir(workspace.join("apart")).unwrap();
        fs::rename(workspace.join(".git"), workspace.join("apart/store")).unwrap();
        symlink("apart/store", workspace.join(".git")).unwrap();
        for attempt in [
            "echo x > .git/config",
            "echo x > apart/store/config",
            "mv apart/store src/",
            "mv apart src/",
            "rm .git",
            "mv .git elsewhere",
            "ln -sfn src .git",
        ] {
            assert!(!succeeds(sandbox, &ground, &ground.policy(), attempt), "{mechanism}: {attempt}");
        }
        let work = "git status && echo x > src/new && echo x > README";
        assert!(succeeds(sandbox, &ground, &ground.policy(), work), "{mechanism}");
    }
}

#[test]
fn beside_what_is_protected_new_files_are_made_where_mounts_guard_it() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        repository(&ground.path(""));
        let behind_mounts = *mechanism != Mechanism::Landlock;
        for (script, expected) in [
            ("echo x > README", true),
            ("echo x > src/new && mkdir src/folder && mv src/new src/folder/", true),
            ("echo x > new", behind_mounts),
            ("mkdir new-folder", behind_mounts),
            ("mv README README.old", behind_mounts),
        ] {
            let done = succeeds(sandbox, &ground, &ground.policy(), script);
            assert_eq!(done, expected, "{mechanism}: {script}");
        }
    }
}

#[test]
fn nothing_is_left_behind_in_a_workspace() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        assert!(succeeds(sandbox, &ground, &ground.policy(), "true"), "{mechanism}");
        assert_eq!(fs::read_dir(ground.workspace()).unwrap().count(), 0, "{mechanism}");
    }
}

#[test]
fn what_is_protected_and_does_not_exist_cannot_be_made_where_mounts_guard_it() {
    let attempts = [
        "mkdir .codex && echo x > .codex/config.toml",
        "echo x > .codex/config.toml",
        "echo gitdir: evil > .git",
        "git init -q",
        "mkdir evil && mv -T evil .codex",
        "mkdir evil && ln -s -T evil .codex",
        "rmdir .codex && mkdir .codex",
        "mv .codex elsewhere && mkdir .codex",
        "chmod 700 .codex && echo x > .codex/config.toml",
        "ln -s . link && mkdir link/.codex && echo x > link/.codex/config.toml",
    ];
    for (mechanism, sandbox) in sandboxes().iter().filter(|(mechanism, _)| *mechanism != Mechanism::Landlock)
    {
        for attempt in attempts {
            let ground = Ground::new();
            assert!(!succeeds(sandbox, &ground, &ground.policy(), attempt), "{mechanism}: {attempt}");
            for name in [".git", ".codex"] {
                assert!(!ground.workspace().join(name).exists(), "{mechanism}: {attempt}");
            }
        }
        let ground = Ground::new();
        assert!(succeeds(sandbox, &ground, &ground.policy(), "echo x > new && ! git status"), "{mechanism}");
    }
}

#[test]
fn a_command_that_ends_takes_no_protection_from_one_that_runs() {
    for (mechanism, sandbox) in sandboxes().iter().filter(|(mechanism, _)| *mechanism != Mechanism::Landlock)
    {
        let ground = Ground::new();
        let policy = ground.policy();
        let held = sandbox.hold(&policy);
        let script = "touch began; until [ -e go ]; do sleep 0.01; done; mkdir .codex";
        let plan = sandbox.plan(&policy, &shell(script), &ground.workspace()).unwrap();
        let mut running = ground.command(&plan).spawn().unwrap();
        while !ground.workspace().join("began").exists() {
            assert!(running.try_wait().unwrap().is_none(), "{mechanism}");
        }
        // As before every command, the folders are looked at again.
        assert!(succeeds(sandbox, &ground, &ground.policy(), "true"), "{mechanism}");
        fs::write(ground.workspace().join("go"), "").unwrap();
        assert!(!running.wait().unwrap().success(), "{mechanism}");
        drop(held);
        assert!(!ground.workspace().join(".codex").exists(), "{mechanism}");
    }
}

#[test]
fn under_landlock_alone_a_repository_that_a_command_made_is_protected_from_the_next_one() {
    for (mechanism, sandbox) in sandboxes().iter().filter(|(mechanism, _)| *mechanism == Mechanism::Landlock)
    {
        let ground = Ground::new();
        assert!(succeeds(sandbox, &ground, &ground.policy(), "git init -q"), "{mechanism}");
        assert!(!succeeds(sandbox, &ground, &ground.policy(), "echo x >> .git/config"), "{mechanism}");
    }
}

#[test]
fn a_folder_that_became_a_symbolic_link_is_not_followed() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        fs::create_dir(ground.workspace().join("sub")).unwrap();
        let swap = "rmdir sub && ln -s $OUTSIDE sub";
        assert!(succeeds(sandbox, &ground, &ground.policy(), swap), "{mechanism}");
        let mut described = ground.described();
        described.writable_roots = vec![ground.workspace().join("sub")];
        let policy = Policy { files: described.files(), network: Network::Denied };
        assert!(!succeeds(sandbox, &ground, &policy, "echo x > sub/file"), "{mechanism}");
    }
}
