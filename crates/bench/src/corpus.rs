//! Homes full of rollouts, the same for the same seed: as many, as large and as mixed as those that people have.
//!
//! The mix of lines and sizes follows what was reported of homes of 159,000 rollouts in 11 GB. Bodies are shared between
//! threads, so that a home is written as fast as the disk takes it; ids, times, folders and branches are each thread's own.

mod giant;
mod hostile;
mod thread;

use std::{
    f64::consts::TAU,
    fs::{DirBuilder, File, FileTimes},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use fastrand::Rng;
use uuid::Uuid;

use self::thread::{About, SOURCES};
pub use self::{giant::Giant, thread::SEARCHED};

/// How many bodies are made; each thread's body is a piece of one of them.
const BODIES: usize = 64;

/// How long one of them is, in bytes; a longer thread has it several times.
const BODY_BYTES: usize = 400 << 10;

/// The days over which the threads of a home are spread.
const DAYS: i64 = 740;

/// What a home holds.
#[derive(Clone, Debug, clap::Args)]
pub struct Corpus {
    /// How many threads
    #[arg(long, default_value_t = 1000)]
    pub threads: usize,
    /// Size of a thread in KiB, on average; sizes are spread log-normally
    #[arg(long, default_value_t = 65)]
    pub kib: usize,
    /// Share of threads that are archived
    #[arg(long, default_value_t = 0.05)]
    pub archived: f64,
    /// Share of threads that were begun by `exec`, and are in no list that does not ask for them
    #[arg(long, default_value_t = 0.2)]
    pub exec: f64,
    /// What the random choices begin with: the same seed writes the same home
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Add files as crashes, editors and full disks leave them
    #[arg(long)]
    pub hostile: bool,
    #[command(flatten)]
    pub giant: Giant,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// How many threads there are.
    pub threads: usize,
    /// Those of them that a list shows unasked: neither archived nor begun by `exec`. Oldest first.
    pub listed: Vec<String>,
    /// The bytes of all rollouts.
    pub bytes: u64,
    /// The giant thread, if there is one.
    pub giant: Option<String>,
}

impl Corpus {
    /// Writes the home into a folder, which need not exist.
    pub fn write(&self, home: &Path) -> Result<Written> {
        let mut random = Rng::with_seed(self.seed);
        let bodies: Vec<String> =
            (0..BODIES).map(|_| thread::body(&mut random, BODY_BYTES, thread::MOST_STEPS)).collect();
        let mut written = Written::default();
        for number in 0..self.threads {
            self.write_thread(home, number, &bodies, &mut random, &mut written)?;
        }
        if self.hostile {
            let shown = hostile::write(home, &mut random)?;
            written.threads += shown.len();
            written.listed.extend(shown);
        }
        if let Some((id, bytes)) = self.giant.write(home, &mut random)? {
            written.threads += 1;
            written.bytes += bytes;
            written.listed.push(id.clone());
            written.giant = Some(id);
        }
        Ok(written)
    }

    fn write_thread(
        &self,
        home: &Path,
        number: usize,
        bodies: &[String],
        random: &mut Rng,
        written: &mut Written,
    ) -> Result<()> {
        let share = DAYS * 86_400 * i64::try_from(number)? / i64::try_from(self.threads)?;
        let at = begin() + TimeDelta::seconds(share + random.i64(0..60));
        let id = uuid_v7(at, random);
        let is_archived = random.f64() < self.archived;
        let source = if random.f64() < self.exec { "exec" } else { SOURCES[random.usize(0..SOURCES.len())] };
        let about = About::of_number(&id, at, source, random);
        let mut text = about.head(random);
        // Half of the threads are smaller than two thirds of the average.
        let wanted = (log_normal(random, 0.9) * self.kib as f64 / 1.5).clamp(2.0, self.kib as f64 * 40.0);
        fill(&mut text, (wanted * 1024.0) as usize, &bodies[random.usize(0..bodies.len())]);
        let path = path(home, at, &id, is_archived);
        let ended = at + TimeDelta::seconds(random.i64(60..7200));
        write_file(&path, text.as_bytes(), ended)?;
        written.bytes += text.len() as u64;
        written.threads += 1;
        if !is_archived && source != "exec" {
            written.listed.push(id);
        }
        Ok(())
    }
}

/// When the first thread of a home began.
fn begin() -> DateTime<Utc> {
    Utc.timestamp_nanos(1_730_419_200_000_000_000) // 2024-11-01
}

/// Adds whole lines of a body until the text is that long.
fn fill(text: &mut String, wanted: usize, body: &str) {
    while text.len() + body.len() <= wanted {
        text.push_str(body);
    }
    let rest = wanted.saturating_sub(text.len());
    let cut = body.as_bytes()[..rest].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    text.push_str(&body[..cut]);
}

/// Draws from a log-normal distribution whose median is 1.
fn log_normal(random: &mut Rng, spread: f64) -> f64 {
    // Box and Muller; the logarithm's argument is never 0.
    let normal = (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (TAU * random.f64()).cos();
    (normal * spread).exp()
}

/// Makes the id of a thread that began at a time.
fn uuid_v7(at: DateTime<Utc>, random: &mut Rng) -> String {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().to_string()
}

/// Makes an id of no special form.
fn uuid_v4(random: &mut Rng) -> Uuid {
    uuid::Builder::from_random_bytes(random.u128(..).to_ne_bytes()).into_uuid()
}

/// Returns where the rollout of a thread lies.
fn path(home: &Path, at: DateTime<Utc>, id: &str, is_archived: bool) -> PathBuf {
    let folder = if is_archived {
        home.join("archived_sessions")
    } else {
        home.join("sessions").join(at.format("%Y/%m/%d").to_string())
    };
    folder.join(format!("rollout-{}-{id}.jsonl", at.format("%Y-%m-%dT%H-%M-%S")))
}

/// Writes a file that was last changed at a time.
fn write_file(path: &Path, bytes: &[u8], changed: DateTime<Utc>) -> Result<()> {
    let mut file = make_file(path)?;
    file.write_all(bytes).with_context(|| format!("cannot write {}", path.display()))?;
    set_changed(&file, changed)
}

fn make_file(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    File::create(path).with_context(|| format!("cannot make {}", path.display()))
}

fn set_changed(file: &File, changed: DateTime<Utc>) -> Result<()> {
    Ok(file.set_times(FileTimes::new().set_modified(SystemTime::from(changed)))?)
}

#[cfg(test)]
mod tests;
