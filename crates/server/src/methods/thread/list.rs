//! `thread/list`: the stored threads, page by page.

mod section_order;

use std::mem;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use jsonrpc::RpcError;
use protocol::{
    PatchField, SortDirection, Thread, ThreadListParams as Params, ThreadListResponse as Response,
    ThreadSortKey,
};
use threads::{Direction, ListPage, ListQuery, Position, Search, SectionId, Sort, StoredThread};

use crate::{
    context::Context,
    error::{invalid, of_thread},
    paging::{self, PAGE_BYTES},
    wire,
};

/// Lists threads in the order asked for; nothing that passes the filters is left out of a walk.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    refuse_unbuilt(&params)?;
    match params.sort_key {
        Some(ThreadSortKey::SectionPosition) => section_order::handle(cx, params).await,
        _ => by_time(cx, params).await,
    }
}

async fn by_time(cx: Context, mut params: Params) -> Result<Response, RpcError> {
    let section = mem::take(&mut params.section_id).as_change().map(|id| id.cloned().map(SectionId::from));
    let after = params.cursor.as_deref().map(position).transpose()?;
    let mut query = ListQuery { after, ..query(&cx, params)? };
    let (sort, direction) = (query.sort, query.direction);
    if let Some(section) = section {
        let narrowed = cx.threads.narrow_to_section(query, section).await;
        query = narrowed.map_err(|error| of_thread(&error))?;
    }
    let page = cx.threads.list(query).await.map_err(|error| of_thread(&error))?;
    let step = match direction {
        Direction::Desc => Duration::milliseconds(-1),
        Direction::Asc => Duration::milliseconds(1),
    };
    let first = page.threads.first().map(|first| cursor(key(first, sort) + step, None));
    Ok(shown(&cx, page, first, |last| Some(cursor(key(last, sort), Some(last)))))
}

/// Shows as much of a page as fits, with the cursors of its order.
fn shown(
    cx: &Context,
    page: ListPage,
    backwards_cursor: Option<String>,
    next: impl FnOnce(&StoredThread) -> Option<String>,
) -> Response {
    let ListPage { threads, more } = page;
    let provider = cx.default_provider();
    let shown = threads.iter().map(|thread| super::shown_with(cx, thread, &provider, Vec::new()));
    let data: Vec<Thread> = paging::fitting(shown, PAGE_BYTES);
    let more = more || data.len() < threads.len();
    let next_cursor = threads[..data.len()].last().filter(|_| more).and_then(next);
    Response { data, next_cursor, backwards_cursor }
}

/// A filter that would be ignored would show what the client did not ask for.
fn refuse_unbuilt(params: &Params) -> Result<(), RpcError> {
    let unbuilt = [
        ("projectId", !params.project_id.is_keep() && params.project_id != PatchField::Clear),
        ("ancestorThreadId", params.ancestor_thread_id.is_some()),
        ("attachedToThreadId", params.attached_to_thread_id.is_some()),
    ];
    match unbuilt.iter().find(|(_, used)| *used) {
        Some((field, _)) => Err(invalid(format!("thread/list.{field} is not supported by this server yet"))),
        None => Ok(()),
    }
}

/// Reads what to list; in which section and from where on is for the order to say.
fn query(cx: &Context, params: Params) -> Result<ListQuery, RpcError> {
    let cwd = |cwd: &String| paging::folder(cwd, &cx.options.cwd);
    let excluded = params.excluded_thread_ids.unwrap_or_default();
    Ok(ListQuery {
        archived: params.archived.unwrap_or(false),
        sort: match params.sort_key.unwrap_or_default() {
            ThreadSortKey::UpdatedAt | ThreadSortKey::RecencyAt => Sort::UpdatedAt,
            ThreadSortKey::CreatedAt | ThreadSortKey::SectionPosition => Sort::CreatedAt,
        },
        direction: match params.sort_direction {
            Some(SortDirection::Asc) => Direction::Asc,
            Some(SortDirection::Desc) | None => Direction::Desc,
        },
        providers: params.model_providers.filter(|providers| !providers.is_empty()),
        default_provider: cx.default_provider(),
        sources: wire::source_filters(params.source_kinds),
        cwds: params.cwd.map(|filter| filter.as_slice().iter().map(cwd).collect()),
        search: params
            .search_term
            .filter(|term| !term.is_empty())
            .map(|term| Search { term, named: Vec::new() }),
        parent: wire::optional_thread_id(params.parent_thread_id.as_deref())?,
        excluded: excluded.iter().map(|id| wire::thread_id(id)).collect::<Result<_, _>>()?,
        originators: params.originators.filter(|originators| !originators.is_empty()),
        ids: None,
        after: None,
        limit: paging::limit(params.limit),
    })
}

fn key(thread: &StoredThread, sort: Sort) -> DateTime<Utc> {
    match sort {
        Sort::CreatedAt => thread.summary.created_at,
        Sort::UpdatedAt => thread.updated_at(),
    }
}

/// A position as text: the time, in milliseconds where it has any, and the id of the thread there.
fn cursor(key: DateTime<Utc>, at: Option<&StoredThread>) -> String {
    let precision =
        if key.timestamp_subsec_millis() == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
    let time = key.to_rfc3339_opts(precision, true);
    at.map_or(time.clone(), |thread| format!("{time}|{}", thread.id()))
}

fn position(cursor: &str) -> Result<Position, RpcError> {
    let (time, id) = cursor.split_once('|').map_or((cursor, None), |(time, id)| (time, Some(id)));
    let read = || {
        let key_ms = DateTime::parse_from_rfc3339(time).ok()?.timestamp_millis();
        let id = match id {
            Some(id) => Some(id.parse().ok()?),
            None => None,
        };
        Some(Position { key_ms, id })
    };
    read().ok_or_else(|| invalid(format!("invalid cursor: {cursor}")))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_cursor_is_a_time_with_or_without_an_id() {
        let id = "55810ecc-95f2-4bd9-9a10-e4bb4e7f4b41";
        for (cursor, read) in [
            (format!("2025-01-05T20:00:00Z|{id}"), Some((1_736_107_200_000, Some(id)))),
            ("2025-01-05T20:00:00.001Z".to_owned(), Some((1_736_107_200_001, None))),
            (String::new(), None),
            ("not-a-cursor".to_owned(), None),
            ("2025-01-05T20:00:00Z|../../etc/passwd".to_owned(), None),
            (format!("|{id}"), None),
        ] {
            let got = position(&cursor).ok().map(|p| (p.key_ms, p.id.map(|id| id.to_string())));
            assert_eq!(got, read.map(|(ms, id)| (ms, id.map(str::to_owned))), "{cursor}");
        }
    }
}
