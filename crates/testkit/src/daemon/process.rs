//! The subprocess: its pipes, each served by a thread, and its end.
//!
//! Threads and not tasks, so that a test's blocking and its end do not stop them: what the server says last is
//! checked, too.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::patience;
use super::questions::Handlers;
use super::transcript::Transcript;

/// The signal that no process can catch.
const SIGKILL: i32 = 9;

pub(super) struct Process {
    child: Child,
    input: Arc<Input>,
    threads: Vec<JoinHandle<()>>,
    transcript: Arc<Transcript>,
    hold: Arc<Hold>,
    end: End,
}

/// What is to be written; none once stdin is, or is to be, closed.
struct Input(Mutex<Option<mpsc::Sender<Vec<u8>>>>);

/// How far the process is with its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Runs,
    /// It ended, and with which code; none for a signal.
    Ended(Option<i32>),
    /// It was killed: what it left open is no fault of its own.
    Killed,
}

/// Lets a test keep the reader from reading.
#[derive(Default)]
struct Hold {
    held: Mutex<bool>,
    changed: Condvar,
}

impl Process {
    pub(super) fn spawn(command: &mut Command, handlers: &Arc<Handlers>) -> Self {
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let transcript = Arc::new(Transcript::default());
        let hold = Arc::new(Hold::default());
        let (input, lines) = mpsc::channel();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = child.stderr.take().unwrap();
        let input = Arc::new(Input(Mutex::new(Some(input))));
        let reader = Reader {
            transcript: Arc::clone(&transcript),
            hold: Arc::clone(&hold),
            handlers: Arc::clone(handlers),
            input: Arc::clone(&input),
        };
        let logged = Arc::clone(&transcript);
        let threads = vec![
            thread::spawn(move || write(stdin, &lines)),
            thread::spawn(move || reader.read(stdout)),
            thread::spawn(move || read_log(stderr, &logged)),
        ];
        Self { child, input, threads, transcript, hold, end: End::Runs }
    }

    pub(super) fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has the writer write; a server that has ended or closed its stdin hears nothing of it.
    pub(super) fn send(&self, bytes: Vec<u8>) {
        assert!(self.input.send(bytes), "the server's stdin is closed");
    }

    /// Has the writer close stdin, behind all that it is still to write.
    pub(super) fn close_input(&self) {
        self.input.0.lock().unwrap().take();
    }

    pub(super) fn hold_reading(&self, hold: bool) {
        *self.hold.held.lock().unwrap() = hold;
        self.hold.changed.notify_all();
    }

    pub(super) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(status.unwrap().success(), "kill -s {name}");
    }

    /// Waits for the end, and for what was said before it.
    pub(super) fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + patience();
        while self.end == End::Runs {
            match self.child.try_wait().unwrap() {
                Some(status) if status.signal() == Some(SIGKILL) => self.end = End::Killed,
                Some(status) => self.end = End::Ended(status.code()),
                None if Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
                None => panic!("the server does not end{}", self.transcript.tail()),
            }
        }
        // Whoever would still write is to end, too.
        self.close_input();
        self.hold_reading(false);
        self.join();
        match self.end {
            End::Ended(code) => code,
            End::Runs | End::Killed => None,
        }
    }

    pub(super) fn kill(&mut self) {
        if self.end == End::Runs {
            let _ = self.child.kill();
            let _ = self.child.wait();
            self.end = End::Killed;
        }
        self.close_input();
        self.hold_reading(false);
        self.join();
    }

    /// Ends the server, if it runs, by closing its stdin, and looks at everything that it left behind.
    pub(super) fn finish(&mut self) {
        self.close_input();
        if self.end == End::Killed {
            return self.transcript.check_killed();
        }
        let by_itself = matches!(self.end, End::Ended(_));
        let code = self.wait();
        // A test that waited for the end looked at the code.
        assert!(by_itself || code == Some(0), "the server ended with {code:?}{}", self.transcript.tail());
        self.transcript.check_ended();
    }

    fn join(&mut self) {
        for thread in self.threads.drain(..) {
            assert!(thread.join().is_ok() || thread::panicking(), "a thread of the test client panicked");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Of a test that has failed: only what helps to see why.
        if thread::panicking() {
            self.kill();
            return eprint_tail(&self.transcript);
        }
        self.finish();
    }
}

#[allow(clippy::print_stderr, reason = "a failed test shows it")]
fn eprint_tail(transcript: &Transcript) {
    eprintln!("{}", transcript.tail());
}

impl Input {
    /// Has the writer write, if stdin is open; tells whether it is.
    fn send(&self, bytes: Vec<u8>) -> bool {
        let input = self.0.lock().unwrap();
        // A writer that has ended noticed that the server has.
        input.as_ref().map(|input| input.send(bytes)).is_some()
    }
}

impl Hold {
    fn pass(&self) {
        let held = self.held.lock().unwrap();
        drop(self.changed.wait_while(held, |held| *held).unwrap());
    }
}

fn write(mut stdin: ChildStdin, lines: &mpsc::Receiver<Vec<u8>>) {
    for bytes in lines {
        // A server that has ended does not read; that it ended is noticed elsewhere.
        if stdin.write_all(&bytes).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

/// Reads what the server says, and answers what a test has left to the client.
struct Reader {
    transcript: Arc<Transcript>,
    hold: Arc<Hold>,
    handlers: Arc<Handlers>,
    input: Arc<Input>,
}

impl Reader {
    fn read(&self, mut stdout: impl BufRead) {
        loop {
            self.hold.pass();
            let mut line = Vec::new();
            match stdout.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return self.transcript.close(),
                Ok(_) => {
                    if let Some(answer) = self.transcript.hear(&line, &self.handlers) {
                        self.input.send(format!("{answer}\n").into_bytes());
                    }
                }
            }
        }
    }
}

fn read_log(mut stderr: impl Read, transcript: &Transcript) {
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = stderr.read(&mut bytes) {
        transcript.add_log(&bytes[..length]);
    }
}
