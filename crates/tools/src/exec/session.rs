//! One command of a thread: it outlives the call that started it, keeps its output, and is spoken to by its number.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio::{sync::watch, time::timeout};

use super::{Event, ExecError, Exit, Handle, Kept, Live, Process, Size, TERM_GRACE, live::Feed};

/// How much of a command's output is kept, and how much between two looks of the model: much more than either needs,
/// and bearable for each of a thread's sessions.
pub(super) const MOST_KEPT: usize = 1024 * 1024;

/// How long a call waits for a command when the model does not say.
const DEFAULT_YIELD: Duration = Duration::from_secs(10);

/// How long a call waits at least: what starts quickly shall not need a second call.
const SHORTEST_YIELD: Duration = Duration::from_millis(250);

/// How long a call waits at most: the model shall see that something takes its time.
const LONGEST_YIELD: Duration = Duration::from_secs(30);

/// How long what was terminated may still talk: a call ends within a second of its deadline.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long ending everything may take: the time that is given before the killing, and a second for that, which takes
/// milliseconds where the system is not busy.
pub(super) const END_DEADLINE: Duration = TERM_GRACE.saturating_add(Duration::from_secs(1));

/// Returns how long a call waits for a command: what the model wants, within reason.
pub fn yield_time(milliseconds: Option<u64>) -> Duration {
    milliseconds.map_or(DEFAULT_YIELD, Duration::from_millis).clamp(SHORTEST_YIELD, LONGEST_YIELD)
}

/// A command of a thread. Cheap to clone; dropping it leaves the command alone, which belongs to
/// [`Sessions`](super::Sessions).
#[derive(Clone, Debug)]
pub struct Session(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: u32,
    label: Label,
    cwd: PathBuf,
    started_at: SystemTime,
    started: Instant,
    handle: Handle,
    feed: Arc<Feed>,
    output: Mutex<Output>,
    progress: watch::Receiver<Progress>,
}

/// What people call a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The id of its item.
    pub item: String,
    /// The command as one line.
    pub command: String,
}

/// How far a command has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It runs.
    Running,
    /// It has ended, but something that it started still runs.
    Ended(Exit),
    /// It has ended and nothing is left of it.
    Gone(Exit),
}

impl Progress {
    /// Returns how the command ended.
    pub fn exit(self) -> Option<Exit> {
        match self {
            Self::Running => None,
            Self::Ended(exit) | Self::Gone(exit) => Some(exit),
        }
    }
}

#[derive(Debug)]
struct Output {
    whole: Kept,
    /// What came since the model last looked.
    fresh: Kept,
    /// When the command ended.
    ended: Option<Instant>,
}

/// What came of waiting for a command for a while.
#[derive(Clone, Debug)]
pub struct Collected {
    /// What was written since the last time.
    pub output: Kept,
    /// How far the command has come.
    pub progress: Progress,
    /// How long was waited.
    pub wall_time: Duration,
}

/// What came of a command that had a deadline.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What was written, from the start.
    pub output: Kept,
    /// How it ended; `None` when its time was up.
    pub exit: Option<Exit>,
    /// How long it ran.
    pub wall_time: Duration,
}

impl Finished {
    /// The code of a command whose time was up, as `timeout` tells it.
    const TIMED_OUT: i32 = 124;

    /// Returns the code as it is told to models and clients.
    pub fn exit_code(&self) -> i32 {
        self.exit.map_or(Self::TIMED_OUT, Exit::code)
    }
}

impl Session {
    /// Returns a session, its live output, and the task that keeps it: the owner of the process, which ends when
    /// nothing is left of that.
    pub(super) fn new(
        id: u32,
        label: Label,
        cwd: PathBuf,
        process: Process,
    ) -> (Self, Live, impl Future<Output = ()> + Send + 'static) {
        let (feed, live) = Feed::new();
        let (progress, watched) = watch::channel(Progress::Running);
        let session = Self(Arc::new(Inner {
            id,
            label,
            cwd,
            started_at: SystemTime::now(),
            started: Instant::now(),
            handle: process.handle(),
            feed,
            output: Mutex::new(Output {
                whole: Kept::new(MOST_KEPT),
                fresh: Kept::new(MOST_KEPT),
                ended: None,
            }),
            progress: watched,
        }));
        let task = keep(session.clone(), process, progress);
        (session, live, task)
    }

    /// Returns the number by which the model and clients know the command.
    pub fn id(&self) -> u32 {
        self.0.id
    }

    /// Returns the system's number of the command.
    pub fn pid(&self) -> u32 {
        self.0.handle.pid()
    }

    /// Returns what people call the command.
    pub fn label(&self) -> &Label {
        &self.0.label
    }

    /// Returns where the command was started.
    pub fn cwd(&self) -> &Path {
        &self.0.cwd
    }

    /// Returns when the command was started.
    pub fn started_at(&self) -> SystemTime {
        self.0.started_at
    }

    /// Returns how long the command ran, or has run so far.
    pub fn duration(&self) -> Duration {
        let ended = self.0.lock().ended.unwrap_or_else(Instant::now);
        ended.duration_since(self.0.started)
    }

    /// Returns how far the command has come.
    pub fn progress(&self) -> Progress {
        *self.0.progress.borrow()
    }

    /// Returns everything that the command wrote until it ended.
    pub fn output(&self) -> Kept {
        self.0.lock().whole.clone()
    }

    /// Waits for the command to end, and returns how it did.
    pub async fn exit(&self) -> Exit {
        self.reach(|progress| progress.exit().is_some()).await;
        self.progress().exit().unwrap_or(Exit::LOST)
    }

    /// Waits so long, or until the command ends, and returns what it wrote since the last call.
    pub async fn collect(&self, wait: Duration) -> Collected {
        let began = Instant::now();
        let _ = timeout(wait, self.exit()).await;
        let mut output = self.0.lock();
        let progress = self.progress();
        let output = match progress {
            Progress::Running => output.fresh.take(),
            Progress::Ended(_) | Progress::Gone(_) => output.fresh.take_all(),
        };
        Collected { output, progress, wall_time: began.elapsed() }
    }

    /// Waits for the command to end, and terminates it when it takes longer than this, counted from its start, or when
    /// the future is dropped.
    ///
    /// Returns within a second of the deadline even where the command ignores that; it is killed later then, and what
    /// it still writes is shown to nobody.
    pub async fn finish(&self, deadline: Duration) -> Finished {
        let terminate_on_drop = TerminateOnDrop(Some(&self.0.handle));
        let left = deadline.saturating_sub(self.0.started.elapsed());
        let exit = timeout(left, self.exit()).await.ok();
        if exit.is_none() {
            self.0.handle.terminate();
            let _ = timeout(LAST_WORDS, self.exit()).await;
            self.0.feed.end();
        }
        terminate_on_drop.disarm();
        Finished { output: self.output(), exit, wall_time: self.duration() }
    }

    /// Has the command read this.
    pub async fn write(&self, bytes: Vec<u8>) -> Result<(), ExecError> {
        match self.progress() {
            Progress::Running => self.0.handle.write(bytes).await,
            Progress::Ended(_) | Progress::Gone(_) => Err(ExecError::InputClosed),
        }
    }

    /// Ends the input of the command. A terminal is sent Ctrl-D and stays open.
    pub async fn close_input(&self) -> Result<(), ExecError> {
        self.0.handle.close_input().await
    }

    /// Changes the size of the command's terminal.
    pub fn resize(&self, size: Size) -> Result<(), ExecError> {
        self.0.handle.resize(size)
    }

    /// Asks the command and everything that it started to end, kills what does not, and returns whether nothing is
    /// left.
    ///
    /// What may be left are processes of another user and such that the system itself cannot end.
    pub async fn terminate(&self) -> bool {
        self.0.handle.terminate();
        timeout(END_DEADLINE, self.gone()).await.is_ok()
    }

    /// Asks the command and everything that it started to end, without waiting for it.
    pub(super) fn ask_to_end(&self) {
        self.0.handle.terminate();
    }

    /// Has the command and everything that it started killed at once.
    pub fn kill(&self) {
        self.0.handle.kill();
    }

    /// Waits until nothing is left of the command and of all that it started.
    pub async fn gone(&self) {
        self.reach(|progress| matches!(progress, Progress::Gone(_))).await;
    }

    /// Waits for some progress. A command whose task is gone makes none: it was killed.
    async fn reach(&self, wanted: impl Fn(Progress) -> bool) {
        let _ = self.0.progress.clone().wait_for(|progress| wanted(*progress)).await;
    }
}

/// Keeps what a command writes, until nothing is left of it. What comes behind its end belongs to no call and is
/// dropped.
async fn keep(session: Session, mut process: Process, progress: watch::Sender<Progress>) {
    let mut ended = None;
    while let Some(event) = process.next().await {
        match event {
            Event::Output(_, bytes) if ended.is_none() => {
                let mut output = session.0.lock();
                output.whole.push(bytes);
                output.fresh.push(bytes);
                drop(output);
                session.0.feed.push(bytes);
            }
            Event::Output(..) => {}
            Event::Ended(exit) => {
                ended = Some(exit);
                session.0.lock().ended = Some(Instant::now());
                session.0.feed.end();
                progress.send_replace(Progress::Ended(exit));
            }
        }
    }
    progress.send_replace(Progress::Gone(ended.unwrap_or(Exit::LOST)));
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Output> {
        // Output that is half pushed is output.
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a command whose call was dropped.
struct TerminateOnDrop<'a>(Option<&'a Handle>);

impl TerminateOnDrop<'_> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for TerminateOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(handle) = self.0 {
            handle.terminate();
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_call_waits_as_long_as_the_model_wants_within_reason() {
        let cases = [(None, 10_000), (Some(0), 250), (Some(1_000), 1_000), (Some(u64::MAX), 30_000)];
        for (wanted, expected) in cases {
            assert_eq!(yield_time(wanted), Duration::from_millis(expected), "{wanted:?}");
        }
    }
}
