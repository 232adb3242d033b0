//! Listing threads: a page from the index where it is complete, from the files where it is not.

use std::time::Duration;

use state::{Direction, ListQuery, Sort, ThreadRow};

use crate::{StoredThread, ThreadError, ThreadManager, scan};

/// How long a list waits for the index to be brought along: what a scan of the files would take without it.
fn patience(query: &ListQuery) -> Duration {
    let newest_first = (query.sort, query.direction) == (Sort::CreatedAt, Direction::Desc);
    let ListQuery { cwds, search, parent, originators, ids, .. } = query;
    let most_pass =
        cwds.is_none() && search.is_none() && parent.is_none() && originators.is_none() && ids.is_none();
    // For the newest threads a scan looks at few files, unless few of them pass; for any other list it looks at them all.
    Duration::from_millis(if newest_first && most_pass { 10 } else { 1500 })
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
    ///
    /// Which names hold the text of a search is filled in here, since names are not in the index.
    pub async fn list(&self, query: ListQuery) -> Result<ListPage, ThreadError> {
        let limit = query.limit as usize;
        let mut rows = self.rows(query).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(ListPage { threads: self.stores.all_stored(rows), more })
    }

    /// Returns the rows of a page, and one more where others follow.
    pub(crate) async fn rows(&self, mut query: ListQuery) -> Result<Vec<ThreadRow>, ThreadError> {
        self.delivered().await;
        if let Some(search) = &mut query.search {
            search.named = self.stores.names.with(|names| names.holding(&search.term));
        }
        match self.indexed_rows(&query).await {
            Some(rows) => Ok(rows),
            None => self.blocking(move |stores| Ok(scan::rows(&stores.home, &query))).await,
        }
    }

    async fn indexed_rows(&self, query: &ListQuery) -> Option<Vec<ThreadRow>> {
        let runtime = self.index.gated_within(patience(query)).await?;
        runtime.list(query).await.inspect_err(|error| self.index.failed(error)).ok()
    }
}
