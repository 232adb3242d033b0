//! The commands of one thread.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::{ExecError, Label, Launch, Live, Process, Progress, Session, Supervisor, session::END_DEADLINE};

/// How many commands a thread may have at once: each costs processes and memory, and more than a model keeps in mind.
const MOST_SESSIONS: usize = 64;

/// The commands of one thread, by number. Dropping it kills them all.
#[derive(Debug)]
pub struct Sessions {
    supervisor: Supervisor,
    /// Those who keep a session each; they end when nothing is left of it.
    tasks: TaskTracker,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    next_id: u32,
    /// How many are about to be among the others.
    starting: usize,
    /// In the order of their start. Also what has ended, as long as there is room: the model may not have seen its end.
    sessions: BTreeMap<u32, Session>,
}

impl Sessions {
    /// Returns no commands; the first one will have this number.
    ///
    /// A thread that is loaded again should begin elsewhere than last time: its history tells of the numbers that were.
    pub fn new(supervisor: Supervisor, first_id: u32) -> Self {
        let known = Known { next_id: first_id, starting: 0, sessions: BTreeMap::new() };
        Self { supervisor, tasks: TaskTracker::new(), known: Mutex::new(known) }
    }

    /// Starts a command, and returns it with its live output.
    pub async fn start(&self, launch: Launch, label: Label) -> Result<(Session, Live), ExecError> {
        let place = Place::take(self)?;
        let process = Process::start(&self.supervisor, &launch).await?;
        let id = place.id;
        let (session, live, task) = Session::new(id, label, launch.cwd, process);
        self.lock().sessions.insert(id, session.clone());
        self.tasks.spawn(task);
        Ok((session, live))
    }

    /// Returns a command, running or not; those that nothing is left of are forgotten when others need their place.
    pub fn require(&self, id: u32) -> Result<Session, ExecError> {
        self.lock().sessions.get(&id).cloned().ok_or(ExecError::NotFound(id))
    }

    /// Returns the commands of which something still runs, the oldest first.
    pub fn list(&self) -> Vec<Session> {
        let known = self.lock();
        known.sessions.values().filter(|session| !is_gone(session)).cloned().collect()
    }

    /// Ends every command, and returns whether nothing is left of any.
    pub async fn terminate_all(&self) -> bool {
        let sessions = self.list();
        sessions.iter().for_each(Session::ask_to_end);
        let all_gone = async {
            for session in &sessions {
                session.gone().await;
            }
        };
        timeout(END_DEADLINE, all_gone).await.is_ok()
    }

    /// Has every command and all that they started killed at once.
    pub fn kill_all(&self) {
        self.lock().sessions.values().for_each(Session::kill);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Each change is one step.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        self.kill_all();
        self.tasks.close();
    }
}

/// The place of a command that is being started.
struct Place<'a> {
    sessions: &'a Sessions,
    id: u32,
}

impl<'a> Place<'a> {
    /// Takes a place, if need be that of the oldest command of which nothing is left.
    fn take(sessions: &'a Sessions) -> Result<Self, ExecError> {
        let mut known = sessions.lock();
        if known.sessions.len() + known.starting >= MOST_SESSIONS {
            let gone = known.sessions.iter().find(|(_, session)| is_gone(session)).map(|(id, _)| *id);
            let gone = gone.ok_or(ExecError::TooMany(MOST_SESSIONS))?;
            known.sessions.remove(&gone);
        }
        let id = known.next_id;
        known.next_id = id.wrapping_add(1);
        known.starting += 1;
        Ok(Self { sessions, id })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.sessions.lock().starting -= 1;
    }
}

fn is_gone(session: &Session) -> bool {
    matches!(session.progress(), Progress::Gone(_))
}
