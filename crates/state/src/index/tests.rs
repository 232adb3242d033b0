//! A whole index over a home in a temp folder: what it answers, in whatever state its database is.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
};

use pretty_assertions::assert_eq;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};

use super::*;
use crate::{
    ListQuery, ThreadRow,
    testing::{
        TestHome, append, everything, id, line, message_line, meta_line, previews, rollout_text, touch, write,
    },
};

/// An index as one server has it.
struct Server {
    index: Arc<Index>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Server {
    fn start(home: &TestHome) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let index = Index::start(home.home.clone(), &tasks, stop.clone());
        Self { index, tasks, stop }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Asks until the index answers, as clients do; how long that takes is not looked at.
    async fn gated(&self) -> Arc<StateRuntime> {
        loop {
            if let Some(runtime) = self.index.gated().await {
                return runtime;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lists what the query asks for; a failure is told to the index, and the list asked for again.
    async fn list(&self, query: &ListQuery) -> Vec<ThreadRow> {
        loop {
            match self.gated().await.list(query).await {
                Ok(rows) => return rows,
                Err(error) => self.index.failed(&error),
            }
        }
    }

    async fn previews(&self) -> Vec<String> {
        previews(&self.list(&everything()).await)
    }

    async fn reaches(&self, wanted: impl FnMut(&Progress) -> bool) {
        self.index.gated().await;
        self.index.progress().wait_for(wanted).await.unwrap();
    }

    async fn done(&self) {
        self.reaches(|progress| *progress == Progress::Done).await;
    }
}

fn messages(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("message {number}")).collect()
}

#[tokio::test]
async fn what_changed_before_a_list_is_in_it() {
    for watched in [true, false] {
        let home = TestHome::with_threads([1, 2, 3]);
        let server = Server::start(&home);
        assert_eq!(server.previews().await, messages([3, 2, 1]));
        if !watched {
            lock(&server.index.fresh).watch(Err(std::io::ErrorKind::Unsupported.into()));
        }

        home.write(4, "message 4");
        home.write(40, "message 40");
        assert_eq!(server.previews().await, messages([40, 4, 3, 2, 1]));

        fs::remove_file(home.path(40)).unwrap();
        fs::remove_file(home.path(2)).unwrap();
        assert_eq!(server.previews().await, messages([4, 3, 1]));

        fs::create_dir_all(home.home.archived()).unwrap();
        fs::rename(home.path(3), home.archived_path(3)).unwrap();
        assert_eq!(server.previews().await, messages([4, 1]));
        let archived = server.list(&ListQuery { archived: true, ..everything() }).await;
        assert_eq!(previews(&archived), messages([3]));
        assert!(archived[0].archived && archived[0].path == home.archived_path(3));

        touch(&home.path(1), 1_900_000_000);
        let by_change = server.list(&ListQuery { sort: crate::Sort::UpdatedAt, ..everything() }).await;
        assert_eq!(previews(&by_change), messages([1, 4]));

        write(&home.path(4), &rollout_text(4, "rewritten"));
        assert_eq!(server.previews().await, ["rewritten", "message 1"]);

        fs::remove_dir_all(home.home.sessions()).unwrap();
        assert_eq!(server.previews().await, messages([]));
        home.write(5, "message 5");
        assert_eq!(server.previews().await, messages([5]));
        server.stop().await;
    }
}

#[tokio::test]
async fn files_that_are_no_threads_are_not_listed_and_become_so_with_a_message() {
    let home = TestHome::with_threads([1]);
    let silent = home.path(2);
    write(&silent, &meta_line(2, json!({})));
    write(&home.path(3), "");
    write(&home.path(4), "garbage\n\u{0}\u{0}");
    write(&home.path(5).with_extension("bak"), &rollout_text(5, "message 5"));
    let server = Server::start(&home);
    assert_eq!(server.previews().await, messages([1]));
    assert!(server.gated().await.thread(id(2)).await.unwrap().is_some());
    append(&silent, &message_line("message 2"));
    write(&home.path(3), &rollout_text(3, "message 3"));
    assert_eq!(server.previews().await, messages([3, 2, 1]));
    server.stop().await;
}

#[tokio::test]
async fn the_id_in_the_file_is_the_one_that_counts() {
    let home = TestHome::new();
    write(&home.path(1), &rollout_text(7, "message 7"));
    let server = Server::start(&home);
    let rows = server.list(&everything()).await;
    assert_eq!((rows[0].summary.id, rows[0].path.clone()), (id(7), home.path(1)));
    server.stop().await;
}

#[tokio::test]
async fn two_servers_share_one_index() {
    let home = TestHome::with_threads(1..=20);
    let (one, other) = (Server::start(&home), Server::start(&home));
    for server in [&one, &other] {
        assert_eq!(server.previews().await, messages((1..=20).rev()));
    }
    home.write(21, "message 21");
    for server in [&other, &one] {
        assert_eq!(server.previews().await, messages((1..=21).rev()));
    }
    one.stop().await;
    fs::remove_file(home.path(21)).unwrap();
    assert_eq!(other.previews().await, messages((1..=20).rev()));
    other.stop().await;
}

#[tokio::test]
async fn servers_that_start_together_make_one_database() {
    let home = TestHome::with_threads([1]);
    let opened = (0..8).map(|_| {
        let home = home.home.clone();
        tokio::spawn(async move { open::open(&home, None).await.map(|runtime| runtime.identity) })
    });
    let mut identities = Vec::new();
    for opening in opened {
        identities.push(opening.await.unwrap().unwrap().main());
    }
    identities.dedup();
    assert_eq!(identities.len(), 1);
}

#[tokio::test]
async fn a_backfill_goes_on_where_it_was_stopped() {
    let home = TestHome::with_threads(1..=3);
    // As far as a server came that was killed. The row is marked, so that reading the file again would show.
    let partial = home.open().await;
    let (mut summary, stamp) = rollout::summarize(&home.path(2)).unwrap().unwrap();
    summary.preview = Some("kept".into());
    let row = ThreadRow { summary, path: home.path(2), archived: false, stamp };
    partial.upsert(vec![row]).await.unwrap();
    assert!(!partial.is_complete().await.unwrap());
    partial.close().await;

    let server = Server::start(&home);
    assert_eq!(server.previews().await, ["message 3", "kept", "message 1"]);
    server.stop().await;

    // Complete, it is not made again; but what changed while no server ran is noticed.
    home.write(3, "rewritten");
    home.write(4, "message 4");
    fs::remove_file(home.path(1)).unwrap();
    let server = Server::start(&home);
    assert_eq!(server.previews().await, ["message 4", "rewritten", "kept"]);
    server.stop().await;
}

#[tokio::test]
async fn a_backfill_can_be_stopped_at_any_time() {
    let home = TestHome::with_threads(1..=600);
    for _ in 0..2 {
        let server = Server::start(&home);
        let has_written =
            |progress: &_| matches!(progress, Progress::Heads(1..) | Progress::Content | Progress::Done);
        server.reaches(has_written).await;
        server.stop().await;
    }
    let server = Server::start(&home);
    assert_eq!(server.previews().await, messages((1..=600).rev()));
    server.stop().await;
}

#[tokio::test]
async fn a_server_takes_over_the_backfill_of_one_that_died() {
    let home = TestHome::with_threads([1, 2]);
    fs::create_dir_all(home.home.skein()).unwrap();
    let other = File::create(home.home.skein().join("backfill.lock")).unwrap();
    other.lock().unwrap();
    let server = Server::start(&home);
    server.reaches(|progress| *progress == Progress::Waiting).await;
    assert!(server.index.gated().await.is_none());
    // One row can be written and read meanwhile.
    let (summary, stamp) = rollout::summarize(&home.path(1)).unwrap().unwrap();
    let row = ThreadRow { summary, path: home.path(1), archived: false, stamp };
    let direct = server.index.direct().await.unwrap();
    direct.upsert(vec![row.clone()]).await.unwrap();
    assert_eq!(direct.thread(id(1)).await.unwrap(), Some(row));
    drop(other);
    assert_eq!(server.previews().await, messages([2, 1]));
    server.stop().await;
}

#[tokio::test]
async fn what_is_made_is_for_its_owner_alone() {
    let home = TestHome::new();
    let server = Server::start(&home);
    assert!(!home.home.skein().exists()); // and without rollouts it stays so until somebody asks
    assert_eq!(server.previews().await, messages([]));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.home.skein()), 0o700);
    for file in fs::read_dir(home.home.skein()).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    server.stop().await;
}

#[tokio::test]
async fn the_middle_of_a_large_file_is_searched_once() {
    let home = TestHome::new();
    let git = |branch: &str| json!({ "git": { "branch": branch } });
    let filler = line("response_item", json!({ "type": "message", "text": "x".repeat(100_000) }));
    let path = home.path(1);
    write(&path, &(meta_line(1, git("head")) + &message_line("message 1") + &filler));
    append(&path, &(meta_line(1, git("middle")) + &meta_line(2, git("of another")) + &filler));
    let server = Server::start(&home);
    let branch = async || {
        let rows = server.list(&everything()).await;
        let summary = &rows[0].summary;
        (summary.git.clone().unwrap().branch.unwrap(), summary.git_at.is_some())
    };
    server.done().await;
    assert_eq!(branch().await, ("middle".to_owned(), true));
    // A new look at head and tail does not forget it.
    append(&path, &message_line("again"));
    assert_eq!(branch().await, ("middle".to_owned(), true));
    assert_eq!(server.gated().await.unscanned(None, 1).await.unwrap(), []);
    // Nor does it hide what came later.
    append(&path, &meta_line(1, git("tail")));
    assert_eq!(branch().await, ("tail".to_owned(), true));
    // A stretch too long for the tail alone is searched in turn.
    append(&path, &(meta_line(1, git("second middle")) + &filler));
    server.gated().await;
    server.reaches(|progress| *progress == Progress::Content).await;
    server.done().await;
    assert_eq!(branch().await, ("second middle".to_owned(), true));
    server.stop().await;
}

#[tokio::test]
async fn an_older_state_of_a_file_replaces_nothing() {
    let home = TestHome::with_threads([1]);
    let index = home.open().await;
    let row = |preview: &str, mtime_ns, size| {
        let (mut summary, stamp) = rollout::summarize(&home.path(1)).unwrap().unwrap();
        summary.preview = Some(preview.into());
        let stamp = rollout::Stamp { mtime_ns, size, ..stamp };
        ThreadRow { summary, path: home.path(1), archived: false, stamp }
    };
    for (written, then) in [
        (row("first", 50, 10), "first"),
        (row("older", 49, 90), "first"),
        (row("shorter", 50, 9), "first"),
        (row("patched", 50, 11), "patched"),
        (row("later", 51, 11), "later"),
    ] {
        index.upsert(vec![written]).await.unwrap();
        assert_eq!(previews(&index.list(&everything()).await.unwrap()), [then]);
    }
    // A row for a file that vanished meanwhile would outlive it.
    fs::remove_file(home.path(1)).unwrap();
    index.forget(vec![home.path(1)]).await.unwrap();
    index.upsert(vec![row_of_missing(&home)]).await.unwrap();
    assert_eq!(index.thread(id(1)).await.unwrap(), None);
    index.close().await;
}

fn row_of_missing(home: &TestHome) -> ThreadRow {
    write(&home.path(9), &rollout_text(1, "gone"));
    let (summary, stamp) = rollout::summarize(&home.path(9)).unwrap().unwrap();
    ThreadRow { summary, path: home.path(1), archived: false, stamp }
}

type Damage = fn(&Path);

/// Ways to spoil a database, and whether what is spoiled is kept aside.
const DAMAGES: [(&str, Damage, bool); 6] = [
    ("missing", |path| fs::remove_file(path).unwrap(), false),
    ("zero bytes", |path| fs::write(path, "").unwrap(), false),
    ("text", |path| fs::write(path, "this is no database\n".repeat(500)).unwrap(), true),
    ("half of it", |path| File::options().write(true).open(path).unwrap().set_len(8192).unwrap(), true),
    ("garbage behind the first page", |path| spoil(path, 4096), true),
    ("a table of another shape", |path| reshape(path), true),
];

fn spoil(path: &Path, from: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[from..].fill(0xa5);
    fs::write(path, bytes).unwrap();
}

fn reshape(path: &Path) {
    // In place, by way of a copy: what is open is not told.
    let copy = path.with_extension("copy");
    fs::copy(path, &copy).unwrap();
    let url = format!("sqlite://{}", copy.display());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut other = SqliteConnection::connect(&url).await.unwrap();
                let sql = "DROP TABLE passes; CREATE TABLE rollouts_2 (x); DROP TABLE rollouts;
                    ALTER TABLE rollouts_2 RENAME TO rollouts; PRAGMA journal_mode = DELETE";
                sqlx::raw_sql(sql).execute(&mut other).await.unwrap();
                other.close().await.unwrap();
            });
        });
    });
    fs::write(path, fs::read(&copy).unwrap()).unwrap();
    fs::remove_file(copy).unwrap();
}

fn aside(home: &TestHome) -> usize {
    let names = fs::read_dir(home.home.skein()).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().starts_with("state.sqlite.corrupt-")).count()
}

#[tokio::test]
async fn a_database_that_is_damaged_at_the_start_is_built_again() {
    for (what, damage, kept) in DAMAGES {
        let home = TestHome::with_threads(1..=50);
        let server = Server::start(&home);
        server.done().await;
        server.stop().await;
        damage(&home.database());
        let server = Server::start(&home);
        assert_eq!(server.previews().await, messages((1..=50).rev()), "{what}");
        server.stop().await;
        assert_eq!(aside(&home) > 0, kept, "{what}");
    }
}

#[tokio::test]
async fn a_database_that_is_damaged_while_it_is_open_is_built_again() {
    for (what, damage, _) in DAMAGES {
        let home = TestHome::with_threads(1..=50);
        let server = Server::start(&home);
        server.done().await;
        damage(&home.database());
        home.write(51, "message 51");
        // Right at once, or healed on the way.
        assert_eq!(server.previews().await, messages((1..=51).rev()), "{what}");
        server.stop().await;
        let server = Server::start(&home);
        assert_eq!(server.previews().await, messages((1..=51).rev()), "{what}");
        server.stop().await;
    }
}

#[tokio::test]
async fn only_the_latest_damaged_database_is_kept() {
    let home = TestHome::with_threads([1]);
    for _ in 0..3 {
        let server = Server::start(&home);
        server.done().await;
        server.stop().await;
        spoil(&home.database(), 0);
    }
    assert_eq!(aside(&home), 1);
}

#[tokio::test]
async fn files_of_the_database_that_are_removed_while_it_is_open_are_missed() {
    for suffix in ["", "-wal", "-shm"] {
        let home = TestHome::with_threads([1, 2]);
        let server = Server::start(&home);
        server.done().await;
        let before = server.gated().await;
        fs::remove_file(format!("{}{suffix}", home.database().display())).unwrap();
        assert_eq!(server.previews().await, messages([2, 1]), "{suffix}");
        assert!(!Arc::ptr_eq(&server.gated().await, &before), "{suffix}");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_late_report_of_damage_harms_no_healthy_database() {
    let home = TestHome::with_threads([1]);
    let server = Server::start(&home);
    server.done().await;
    let runtime = server.gated().await;
    server.index.failed(&StateError::Corrupt("reported late".into()));
    assert!(Arc::ptr_eq(&server.gated().await, &runtime));
    server.stop().await;
}

#[tokio::test]
async fn a_database_of_a_newer_schema_is_left_alone() {
    let home = TestHome::with_threads([1]);
    let index = home.open().await;
    let mut transaction = index.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations SELECT 9999, '', installed_on, 1, checksum, 0 FROM _sqlx_migrations",
    )
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    index.close().await;
    let before = fs::read(home.database()).unwrap();
    assert!(matches!(open::open(&home.home, None).await, Err(StateError::Newer(_))));

    let server = Server::start(&home);
    assert!(server.index.gated().await.is_none());
    assert!(server.index.direct().await.is_err());
    server.stop().await;
    assert_eq!(fs::read(home.database()).unwrap(), before);
    assert_eq!(aside(&home), 0);
}

#[tokio::test]
async fn a_database_that_another_process_holds_is_used_when_it_lets_go() {
    let home = TestHome::with_threads([1]);
    let server = Server::start(&home);
    server.done().await;
    server.stop().await;
    let mut other =
        SqliteConnection::connect(&format!("sqlite://{}", home.database().display())).await.unwrap();
    sqlx::raw_sql("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    assert!(matches!(open::open(&home.home, None).await, Err(StateError::Locked(_))));

    let server = Server::start(&home);
    assert!(server.index.gated().await.is_none());
    assert!(server.index.direct().await.is_err());
    other.close().await.unwrap();
    assert_eq!(server.previews().await, messages([1]));
    server.stop().await;
}

#[tokio::test]
async fn a_lock_that_is_taken_while_the_database_is_open_closes_the_gate_until_it_is_free() {
    let home = TestHome::with_threads([1]);
    let server = Server::start(&home);
    server.done().await;
    let mut other =
        SqliteConnection::connect(&format!("sqlite://{}", home.database().display())).await.unwrap();
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    home.write(2, "message 2");
    assert!(server.index.gated().await.is_none()); // the new row cannot be written
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(server.previews().await, messages([2, 1]));
    server.stop().await;
}

#[tokio::test]
async fn a_home_that_takes_no_database_goes_without() {
    let home = TestHome::with_threads([1]);
    write(&home.home.skein(), "a file where the folder should be");
    let server = Server::start(&home);
    assert!(server.index.gated().await.is_none());
    let error = server.index.direct().await.unwrap_err();
    server.index.failed(&error);
    assert!(server.index.gated().await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn a_read_only_folder_goes_without() {
    let home = TestHome::with_threads([1]);
    let skein = home.home.skein();
    fs::create_dir(&skein).unwrap();
    fs::set_permissions(&skein, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(skein.join("probe"), "").is_ok() {
        return; // root writes everywhere
    }
    let server = Server::start(&home);
    assert!(server.index.gated().await.is_none());
    assert!(matches!(open::open(&home.home, None).await, Err(StateError::Io { .. })));
    server.stop().await;
}

#[tokio::test]
async fn sqlite_is_new_enough_not_to_lose_commits_of_two_writers() {
    // Before 3.51.3 a reset of the write-ahead log could race with a checkpoint.
    let home = TestHome::new();
    let index = home.open().await;
    let (version,): (String,) = sqlx::query_as("SELECT sqlite_version()")
        .fetch_one(&mut *index.reader().await.unwrap())
        .await
        .unwrap();
    let numbers: Vec<u32> = version.split('.').map(|number| number.parse().unwrap()).collect();
    assert!(numbers >= vec![3, 51, 3], "{version}");
    index.close().await;
}

#[tokio::test]
async fn whichever_page_is_flipped_every_thread_is_listed() {
    let home = TestHome::with_threads(1..=40);
    let server = Server::start(&home);
    server.done().await;
    server.stop().await;
    let sound = fs::read(home.database()).unwrap();
    for page in 0..sound.len() / 4096 {
        let mut bytes = sound.clone();
        bytes[page * 4096..][..4096].iter_mut().for_each(|byte| *byte ^= 0xff);
        fs::write(home.database(), bytes).unwrap();
        let server = Server::start(&home);
        for sort in [crate::Sort::CreatedAt, crate::Sort::UpdatedAt] {
            let all = server.list(&ListQuery { sort, ..everything() }).await;
            assert_eq!(all.len(), 40, "page {page}");
            let of_folder = ListQuery { sort, cwds: Some(vec!["/work".into()]), ..everything() };
            assert_eq!(server.list(&of_folder).await.len(), 40, "page {page}");
        }
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_servers_on_one_home_miss_nothing_of_each_other() {
    const SERVERS: u32 = 8;
    let home = Arc::new(TestHome::with_threads(1..=100));
    let servers: Vec<_> = (0..SERVERS).map(|_| Arc::new(Server::start(&home))).collect();
    let work = servers.iter().zip(0..).map(|(server, number)| {
        let (server, home) = (Arc::clone(server), Arc::clone(&home));
        tokio::spawn(async move {
            for turn in 0..10 {
                let thread = 1000 + number * 100 + turn;
                home.write(thread, "new");
                let rows = server.list(&everything()).await;
                assert!(rows.iter().any(|row| row.summary.id == id(thread)), "{thread} is missing");
                if turn % 3 == 1 {
                    fs::create_dir_all(home.home.archived()).unwrap();
                    fs::rename(home.path(thread), home.archived_path(thread)).unwrap();
                    let rows = server.list(&everything()).await;
                    assert!(rows.iter().all(|row| row.summary.id != id(thread)), "{thread} is still there");
                }
                if number == 3 && turn == 5 {
                    fs::remove_file(home.database()).unwrap();
                }
            }
        })
    });
    for worker in work.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    for server in &servers {
        assert_eq!(server.list(&everything()).await.len(), 100 + 7 * SERVERS as usize);
        let archived = ListQuery { archived: true, ..everything() };
        assert_eq!(server.list(&archived).await.len(), 3 * SERVERS as usize);
    }
    for server in servers {
        Arc::into_inner(server).unwrap().stop().await;
    }
}
