//! Sockets, with and without the network.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::thread;

use pretty_assertions::assert_eq;
use sandbox::{Files, Network, Policy};

use crate::ground::{Ground, UNRESTRICTED, python, run, sandboxes, succeeds};

#[test]
fn without_the_network_no_socket_is_made() {
    let attempts =
        ["socket.AF_INET", "socket.AF_INET6", "socket.AF_UNIX", "socket.AF_NETLINK"].map(|family| {
            let kind = if family.contains("NETLINK") { "socket.SOCK_RAW" } else { "socket.SOCK_STREAM" };
            python(&format!(
                "import socket, errno\ntry: socket.socket({family}, {kind})\n\
             except PermissionError as e: exit(e.errno == errno.EPERM)"
            ))
        });
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        let read_only = Policy { files: Files::ReadOnly, network: Network::Denied };
        let full = Policy { files: Files::Full, network: Network::Denied };
        for attempt in &attempts {
            assert_eq!(run(sandbox, &ground, &UNRESTRICTED, attempt).status.code(), Some(0), "{attempt}");
            for policy in [&ground.policy(), &read_only, &full] {
                let output = run(sandbox, &ground, policy, attempt);
                assert_eq!(output.status.code(), Some(1), "{mechanism}: {attempt}: {output:?}");
                assert!(output.stderr.is_empty(), "{output:?}");
            }
        }
    }
}

#[test]
fn no_daemon_is_reached_through_a_socket_file() {
    let datagram = "import os, socket; a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); \
                    a.sendto(b\"x\", os.environ[\"OUTSIDE\"] + \"/datagram\")";
    let stream =
        "import os, socket; socket.socket(socket.AF_UNIX).connect(os.environ[\"OUTSIDE\"] + \"/stream\")";
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        let listener = UnixListener::bind(ground.path("outside/stream")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let receiver = UnixDatagram::bind(ground.path("outside/datagram")).unwrap();
        receiver.set_nonblocking(true).unwrap();
        for attempt in [datagram, stream].map(python) {
            assert!(succeeds(sandbox, &ground, &UNRESTRICTED, &attempt), "is no attempt: {attempt}");
        }
        listener.accept().unwrap();
        receiver.recv(&mut [0; 8]).unwrap();
        for attempt in [datagram, stream].map(python) {
            assert!(!succeeds(sandbox, &ground, &ground.policy(), &attempt), "{mechanism}: {attempt}");
        }
        assert!(listener.accept().is_err() && receiver.recv(&mut [0; 8]).is_err(), "{mechanism}");
    }
}

#[test]
fn a_pair_of_sockets_is_allowed() {
    let script =
        python("import socket; a, b = socket.socketpair(); a.send(b\"x\"); assert b.recv(1) == b\"x\"");
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        assert!(succeeds(sandbox, &ground, &ground.policy(), &script), "{mechanism}");
    }
}

#[test]
fn with_the_network_loopback_is_reached() {
    for (mechanism, sandbox) in sandboxes() {
        let ground = Ground::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = thread::spawn(move || {
            let mut text = String::new();
            listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
            text
        });
        let script = python(&format!(
            "import socket; socket.create_connection((\"127.0.0.1\", {port})).send(b\"hello\")"
        ));
        let policy = Policy { files: ground.described().files(), network: Network::Granted };
        assert!(!succeeds(sandbox, &ground, &ground.policy(), &script), "{mechanism}: not granted");
        assert!(succeeds(sandbox, &ground, &policy, &script), "{mechanism}");
        assert_eq!(heard.join().unwrap(), "hello", "{mechanism}");
        assert!(!succeeds(sandbox, &ground, &policy, "echo x > $OUTSIDE/file"), "{mechanism}");
    }
}
