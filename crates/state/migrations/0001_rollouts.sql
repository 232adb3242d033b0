-- One row a rollout file. Everything here is derived from the files and can be derived again.
CREATE TABLE rollouts (
    id               INTEGER PRIMARY KEY,
    folder           TEXT    NOT NULL, -- below the home: 'sessions/2026/01/31', 'archived_sessions'
    name             TEXT    NOT NULL,
    size             INTEGER NOT NULL,
    mtime_ns         INTEGER NOT NULL,
    ino              INTEGER NOT NULL,
    scanned          INTEGER NOT NULL, -- no session_meta before this byte is unknown
    archived         INTEGER NOT NULL,
    thread           BLOB,             -- 16 bytes; NULL: a file without a session_meta, known so that it is not read again
    stands           INTEGER NOT NULL, -- 1: the newest file of its thread in its place, the one that is listed
    created_ms       INTEGER NOT NULL,
    updated_ms       INTEGER NOT NULL,
    source_kind      TEXT    NOT NULL,
    provider         TEXT,
    cwd              TEXT    NOT NULL,
    originator       TEXT    NOT NULL,
    cli_version      TEXT    NOT NULL,
    source           TEXT    NOT NULL, -- JSON, as in the file
    model            TEXT,
    reasoning_effort TEXT,
    git              TEXT,             -- JSON
    git_at           INTEGER,          -- microseconds; NULL: from the head
    forked_from      BLOB,
    parent           BLOB,
    history_mode     TEXT,
    preview          TEXT,             -- NULL: no user message, not listed; last, since it may be long
    UNIQUE (folder, name)
);

CREATE INDEX rollouts_thread ON rollouts (thread) WHERE thread IS NOT NULL;

-- What a list orders by comes first, what it filters by follows: a page is an index walk.
CREATE INDEX rollouts_created ON rollouts (archived, created_ms, thread, source_kind, provider, cwd)
    WHERE stands = 1 AND preview IS NOT NULL;
CREATE INDEX rollouts_updated ON rollouts (archived, updated_ms, thread, source_kind, provider, cwd)
    WHERE stands = 1 AND preview IS NOT NULL;
CREATE INDEX rollouts_cwd_created ON rollouts (archived, cwd, created_ms, thread, source_kind, provider)
    WHERE stands = 1 AND preview IS NOT NULL;
CREATE INDEX rollouts_cwd_updated ON rollouts (archived, cwd, updated_ms, thread, source_kind, provider)
    WHERE stands = 1 AND preview IS NOT NULL;
CREATE INDEX rollouts_parent ON rollouts (parent) WHERE parent IS NOT NULL;

-- The work list of the content pass.
CREATE INDEX rollouts_unscanned ON rollouts (mtime_ns, id) WHERE thread IS NOT NULL AND scanned < size;

-- The files of a folder in one number, kept with its rows: whether a folder is as its rows say is told without reading
-- them. The number is the exclusive or of a fingerprint of each file's name, size, time of change and inode.
CREATE TABLE folders (
    folder TEXT    PRIMARY KEY,
    files  INTEGER NOT NULL,
    digest INTEGER NOT NULL
) WITHOUT ROWID;

-- How far the backfill came: 'heads' when every file has its row.
CREATE TABLE passes (
    name    TEXT    PRIMARY KEY,
    done_ms INTEGER NOT NULL
) WITHOUT ROWID;
