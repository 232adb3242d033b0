//! `thread/list` in the order in which a person sorted the threads of a section.
//!
//! A cursor is a position in that order, as text.

use jsonrpc::RpcError;
use protocol::{PatchField, SortDirection, ThreadListParams as Params, ThreadListResponse as Response};
use threads::{Direction, SectionId, StoredThread};

use crate::{
    context::Context,
    error::{invalid, of_thread},
};

/// Lists the threads of a section from its top, unless asked otherwise.
pub(super) async fn handle(cx: Context, mut params: Params) -> Result<Response, RpcError> {
    let PatchField::Set(section) = std::mem::take(&mut params.section_id) else {
        return Err(invalid("section-position sorting requires a section filter"));
    };
    let section = SectionId::from(section);
    let after = params.cursor.take().map(position).transpose()?;
    params.sort_direction.get_or_insert(SortDirection::Asc);
    let query = super::query(&cx, params)?;
    let step = match query.direction {
        Direction::Asc => 1,
        Direction::Desc => -1,
    };
    let page = cx.threads.list_section(query, section.clone(), after).await;
    let page = page.map_err(|error| of_thread(&error))?;
    let position = |thread: &StoredThread| thread.position_in(&section);
    let first = page.threads.first().and_then(position).map(|position| (position + step).to_string());
    Ok(super::shown(&cx, page, first, |last| position(last).map(|position| position.to_string())))
}

fn position(cursor: String) -> Result<i64, RpcError> {
    cursor.parse().map_err(|_| invalid(format!("invalid cursor: {cursor}")))
}
