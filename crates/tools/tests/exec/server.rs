//! What becomes of commands when the server is killed.

use std::process::Stdio;

use pretty_assertions::assert_eq;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use super::{
    HUNG,
    ownership::{FAMILY, FAMILY_NAMES},
    processes,
};

/// Starts a server that runs a script.
fn server(stdio: &str, script: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_exec-stand-in"))
        .args(["serve", stdio, script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn nothing_outlives_a_server_that_is_killed() {
    for stdio in ["pipes", "terminal"] {
        for signal in ["KILL", "TERM"] {
            for script in [format!("{FAMILY} wait"), format!("{FAMILY} exec sleep 100")] {
                let mut server = server(stdio, &script);
                let pid = server.id().unwrap();
                let sleeping = script.matches("sleep").count();
                processes::until_below(pid, "sleep", sleeping).await;
                let all = processes::tree(pid);
                assert_eq!(all.len(), FAMILY_NAMES.len() + 1);
                processes::signal(signal, pid);
                server.wait().await.unwrap();
                processes::until_gone(&all).await;
            }
        }
    }
}

#[tokio::test]
async fn what_a_command_left_running_does_not_outlive_the_server_either() {
    let mut server = server("pipes", &format!("{FAMILY} echo done"));
    let pid = server.id().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    while !timeout(HUNG, lines.next_line()).await.unwrap().unwrap().unwrap().starts_with("read") {}
    processes::until_below(pid, "sleep", 4).await;
    let all = processes::tree(pid);
    processes::signal("KILL", pid);
    server.wait().await.unwrap();
    processes::until_gone(&all).await;
}

#[tokio::test]
async fn a_gigabyte_is_read_in_bounded_memory() {
    /// Two outputs of a mebibyte as they are kept, what waits for a watcher, buffers, and the program itself.
    const MOST_KB: u64 = 32 * 1024;
    let mut server = server("pipes", "yes | head -c 1000000000");
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut last = Vec::new();
    while let Some(line) = timeout(3 * HUNG, lines.next_line()).await.unwrap().unwrap() {
        if line.starts_with("read") || line.starts_with("VmHWM") {
            last.push(line);
        }
    }
    let [read, peak] = last.as_slice() else { panic!("{last:?}") };
    assert_eq!(read, "read 1000000000 bytes");
    let peak: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(peak < MOST_KB, "{peak} kB");
    assert!(server.wait().await.unwrap().success());
}
