//! Listing threads: a page from the index where it is complete, from the files where it is not.

use rollout::ThreadId;
use state::{Direction, ListQuery, Position, Search, Sort, SourceFilter, ThreadRow};

use crate::{StoredThread, ThreadError, ThreadManager, scan};

/// What to list, and which page of it.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// The archived threads instead of the active ones; never both.
    pub archived: bool,
    /// What orders the list.
    pub sort: Sort,
    /// Newest first or oldest first.
    pub direction: Direction,
    /// Only threads of these providers.
    pub providers: Option<Vec<String>>,
    /// What a thread without a provider counts as.
    pub default_provider: String,
    /// Only threads of these sources.
    pub sources: Vec<SourceFilter>,
    /// Only threads of these working folders.
    pub cwds: Option<Vec<String>>,
    /// Only threads whose preview or name holds this text, literally.
    pub search: Option<String>,
    /// Only threads that this one spawned.
    pub parent: Option<ThreadId>,
    /// Not these threads.
    pub excluded: Vec<ThreadId>,
    /// Only threads that these clients started.
    pub originators: Option<Vec<String>>,
    /// Where the page begins: behind this position.
    pub after: Option<Position>,
    /// How many threads the page holds at most.
    pub limit: u32,
}

/// One page of a list.
#[derive(Debug)]
pub struct ListPage {
    /// The threads, in order.
    pub threads: Vec<StoredThread>,
    /// Whether others follow.
    pub more: bool,
}

impl ThreadManager {
    /// Lists threads; every rollout with a message is in exactly one page of an unfiltered walk.
    pub async fn list(&self, request: ListRequest) -> Result<ListPage, ThreadError> {
        let limit = request.limit as usize;
        let query = self.query(request);
        let mut rows = match self.indexed_rows(&query).await {
            Some(rows) => rows,
            None => self.blocking(move |stores| scan::rows(&stores.home, &query)).await?,
        };
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(ListPage { threads: rows.into_iter().map(|row| self.stores.stored(row)).collect(), more })
    }

    async fn indexed_rows(&self, query: &ListQuery) -> Option<Vec<ThreadRow>> {
        let runtime = self.index.gated().await?;
        runtime.list(query).await.inspect_err(|error| self.index.failed(error)).ok()
    }

    fn query(&self, request: ListRequest) -> ListQuery {
        let ListRequest {
            archived,
            sort,
            direction,
            providers,
            default_provider,
            sources,
            cwds,
            search,
            parent,
            excluded,
            originators,
            after,
            limit,
        } = request;
        let search = search.filter(|term| !term.is_empty()).map(|term| {
            let named = self.stores.names.with(|names| {
                names.iter().filter(|(_, name)| name.contains(&term)).map(|(id, _)| *id).collect()
            });
            Search { term, named }
        });
        ListQuery {
            archived,
            sort,
            direction,
            providers,
            default_provider,
            sources,
            cwds,
            search,
            parent,
            excluded,
            originators,
            ids: None,
            after,
            limit,
        }
    }
}
