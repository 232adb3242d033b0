//! Reading one thread: its summary, its turns and items, and what a model is to know of it.

use std::path::{Path, PathBuf};

use history::{Context, ItemPageRequest, PageRequest, Turns};
use protocol::{
    ThreadItem, ThreadItemsListParams, ThreadItemsListResponse, ThreadTurnsListParams, Turn, TurnsPage,
};
use rollout::{Line, Located, Place, Segment, SessionMeta, ThreadId, TurnContext};
use state::ThreadRow;

use crate::{StoredThread, ThreadError, ThreadManager, manager::Stores};

/// How far from the end the settings of the last turn are looked for: each turn begins with them, so behind so much
/// there is one turn that went on very long, and the settings of the start will do.
const LOOK_BACK: usize = 4 << 20;

/// How much the turns of one answer may weigh, in bytes on the wire.
///
/// Clients that ask for all turns take the answer in as one line, so there is a size at which neither side is helped by
/// more of them; the others are reached page by page.
pub(crate) const MAX_TURNS: usize = 16 << 20;

/// In how many of the newest turns the ids are looked for that clients gave what they said: a client that missed an
/// answer asks again soon.
const TURNS_WITH_IDS: u32 = 10;

/// How much of their words is read for that, images included.
const WORDS_WITH_IDS: usize = 16 << 20;

/// How many lines may stand before the first record of a thread: a few that a crash or an editor left there.
const MAX_LINES_BEFORE_META: usize = 16;

impl ThreadManager {
    /// Reads a thread, active or archived, from its rollout.
    pub async fn read(&self, id: ThreadId) -> Result<StoredThread, ThreadError> {
        let found = self.require(id, Place::Anywhere).await?;
        self.load(id, found).await
    }

    /// Reads an active thread; an archived one is [`ThreadError::Archived`].
    pub async fn read_active(&self, id: ThreadId) -> Result<StoredThread, ThreadError> {
        let found = self.require_unarchived(id).await?;
        self.load(id, found).await
    }

    async fn load(&self, id: ThreadId, found: Located) -> Result<StoredThread, ThreadError> {
        self.blocking(move |stores| {
            stores.deliver(id, &found.path);
            stores.load(found.path, found.archived)
        })
        .await
    }

    /// Reads the thread whose rollout lies at `path`.
    ///
    /// The path is the client's: what it names must be a rollout, wherever it lies.
    pub async fn read_path(&self, path: PathBuf) -> Result<StoredThread, ThreadError> {
        self.blocking(move |stores| {
            let archived = path.starts_with(stores.home.archived());
            stores.load(path, archived)
        })
        .await
    }

    /// Reads the turns, of a giant thread the newest ones; `running` names the one that this server is running now.
    pub async fn turns(&self, path: &Path, running: Option<String>) -> Result<Turns, ThreadError> {
        self.history(path, move |segments| history::turns(segments, running, MAX_TURNS)).await
    }

    /// Reads a page of turns, which weighs no more than `max_bytes` unless one turn alone does.
    pub async fn turn_page(
        &self,
        path: &Path,
        page: ThreadTurnsListParams,
        max_bytes: usize,
        running: Option<String>,
    ) -> Result<TurnsPage, ThreadError> {
        self.history(path, move |segments| {
            let ThreadTurnsListParams { thread_id: _, cursor, limit, sort_direction, items_view } = page;
            let request = PageRequest {
                cursor: cursor.as_deref(),
                limit,
                direction: sort_direction,
                view: items_view,
                max_bytes,
            };
            history::turn_page(segments, &request, running.as_deref())
        })
        .await
    }

    /// Reads a page of items, which weighs no more than `max_bytes` unless one item alone does.
    pub async fn item_page(
        &self,
        path: &Path,
        page: ThreadItemsListParams,
        max_bytes: usize,
    ) -> Result<ThreadItemsListResponse, ThreadError> {
        self.history(path, move |segments| {
            let ThreadItemsListParams { thread_id: _, turn_id, cursor, limit, sort_direction } = page;
            let request = ItemPageRequest {
                turn_id: turn_id.as_deref(),
                cursor: cursor.as_ref(),
                limit,
                direction: sort_direction,
                max_bytes,
            };
            history::item_page(segments, &request)
        })
        .await
    }

    /// Reads the ids that clients gave what they said in the newest turns, each with its turn, oldest first.
    pub async fn client_ids(&self, path: &Path) -> Result<Vec<(String, String)>, ThreadError> {
        let newest =
            ThreadTurnsListParams { limit: Some(TURNS_WITH_IDS), ..ThreadTurnsListParams::default() };
        let turns = self.turn_page(path, newest, WORDS_WITH_IDS, None).await?.data;
        let id_of = |item| match item {
            ThreadItem::UserMessage { client_id, .. } => client_id,
            _ => None,
        };
        let ids = |turn: Turn| {
            let Turn { id, items, .. } = turn;
            items.into_iter().filter_map(id_of).map(move |client_id| (client_id, id.clone()))
        };
        Ok(turns.into_iter().rev().flat_map(ids).collect())
    }

    /// Counts the turns from this one to the end.
    pub async fn turns_from(&self, path: &Path, turn: String) -> Result<u32, ThreadError> {
        self.history(path, move |segments| history::turns_from(segments, &turn)).await
    }

    /// Reads what the model is to know: backward to the last compaction, no further.
    pub async fn context(&self, path: &Path) -> Result<Context, ThreadError> {
        self.history(path, history::context).await
    }

    /// Reads what the last turn ran with; `None` where the end of the thread does not tell.
    pub async fn last_turn_context(&self, path: &Path) -> Result<Option<TurnContext>, ThreadError> {
        let path = path.to_owned();
        self.blocking(move |stores| {
            let segments = rollout::segments(&stores.home, &path)?;
            let mut lines = rollout::backward(&segments);
            let mut read = 0;
            while let Some(line) = lines.next().map_err(ThreadError::io("read", &path))? {
                read += line.bytes.len();
                if let Some(context) = Line::parse(line.bytes).and_then(|line| line.turn_context()) {
                    return Ok(Some(context));
                }
                if read > LOOK_BACK {
                    break;
                }
            }
            Ok(None)
        })
        .await
    }

    /// Reads the first record of a thread, as it stands in its file; `None` where it is not among the first lines.
    pub async fn session_meta(&self, path: &Path) -> Result<Option<SessionMeta>, ThreadError> {
        let path = path.to_owned();
        self.blocking(move |stores| {
            let segments = rollout::segments(&stores.home, &path)?;
            let mut lines = rollout::forward(&segments);
            for _ in 0..MAX_LINES_BEFORE_META {
                let Some(line) = lines.next().map_err(ThreadError::io("read", &path))? else { break };
                if let Some(meta) = Line::parse(line.bytes).and_then(|line| line.session_meta()) {
                    return Ok(Some(meta));
                }
            }
            Ok(None)
        })
        .await
    }

    async fn history<T: Send + 'static>(
        &self,
        path: &Path,
        project: impl FnOnce(&[Segment]) -> Result<T, history::HistoryError> + Send + 'static,
    ) -> Result<T, ThreadError> {
        let path = path.to_owned();
        self.blocking(move |stores| {
            let segments = rollout::segments(&stores.home, &path)?;
            Ok(project(&segments)?)
        })
        .await
    }
}

impl Stores {
    pub(crate) fn load(&self, path: PathBuf, archived: bool) -> Result<StoredThread, ThreadError> {
        Ok(self.stored(row(path, archived)?))
    }
}

/// Reads the row that the index would hold of a rollout.
pub(crate) fn row(path: PathBuf, archived: bool) -> Result<ThreadRow, ThreadError> {
    match rollout::summarize(&path)? {
        Some((summary, stamp)) => Ok(ThreadRow { summary, path, archived, stamp }),
        None => Err(ThreadError::NoSession(path)),
    }
}
