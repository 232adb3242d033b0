//! What runs for each method, and in which lane, side by side.

use std::{collections::HashMap, sync::LazyLock};

use futures::{FutureExt, future::BoxFuture};
use jsonrpc::RpcError;
use protocol::*;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    context::Context,
    error,
    lanes::Lane,
    methods::{config_requirements, fs, mcp_server, review, thread, thread_section, turn},
};

/// Moves of several threads that are asked for at once come out in the order in which they were asked for.
const SECTIONS: Lane = Lane::Global("sections");

fn table() -> Vec<Route> {
    vec![
        route::<ThreadStart, _>(thread::start::handle, |_| Lane::Free),
        route::<ThreadResume, _>(thread::resume::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadFork, _>(thread::fork::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadRead, _>(thread::read::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadList, _>(thread::list::handle, |_| Lane::Free),
        route::<ThreadLoadedList, _>(thread::loaded_list::handle, |_| Lane::Free),
        route::<ThreadTurnsList, _>(thread::turns_list::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadItemsList, _>(thread::items_list::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadNameSet, _>(thread::name_set::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadMetadataUpdate, _>(thread::metadata_update::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadArchive, _>(thread::archive::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadUnarchive, _>(thread::unarchive::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadDelete, _>(thread::delete::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadUnsubscribe, _>(thread::unsubscribe::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadRollback, _>(thread::rollback::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadRevert, _>(thread::revert::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadInjectItems, _>(thread::inject_items::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadCompactStart, _>(thread::compact_start::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadAttachmentAdd, _>(thread::attachment_add::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadAttachmentList, _>(thread::attachment_list::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadAttachmentRemove, _>(thread::attachment_remove::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadAttachmentOwnerList, _>(thread::attachment_owner_list::handle, |_| Lane::Free),
        route::<ThreadGoalSet, _>(thread::goal_set::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadGoalGet, _>(thread::goal_get::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadGoalClear, _>(thread::goal_clear::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadSectionMove, _>(thread::section_move::handle, |_| SECTIONS),
        route::<ThreadSectionList, _>(thread_section::list::handle, |_| SECTIONS),
        route::<ThreadSectionCreate, _>(thread_section::create::handle, |_| SECTIONS),
        route::<ThreadSectionUpdate, _>(thread_section::update::handle, |_| SECTIONS),
        route::<ThreadSectionDelete, _>(thread_section::delete::handle, |_| SECTIONS),
        route::<ThreadShellCommand, _>(thread::shell_command::handle, |p| Lane::thread(&p.thread_id)),
        route::<ThreadBackgroundTerminalsList, _>(thread::background_terminals::list, |_| Lane::Free),
        route::<ThreadBackgroundTerminalsClean, _>(thread::background_terminals::clean, |_| Lane::Free),
        route::<ThreadBackgroundTerminalsTerminate, _>(thread::background_terminals::terminate, |_| {
            Lane::Free
        }),
        route::<ReviewStart, _>(review::start::handle, |p| Lane::thread(&p.thread_id)),
        route::<TurnStart, _>(turn::start::handle, |p| Lane::thread(&p.thread_id)),
        route::<TurnSteer, _>(turn::steer::handle, |p| Lane::thread(&p.thread_id)),
        route::<TurnInterrupt, _>(turn::interrupt::handle, |p| Lane::thread(&p.thread_id)),
        route::<FsReadFile, _>(fs::read_file::handle, |_| Lane::Free),
        route::<FsGetMetadata, _>(fs::get_metadata::handle, |_| Lane::Free),
        route::<McpServerReload, _>(mcp_server::reload::handle, |_| Lane::Global("mcp")),
        route::<McpServerStatusList, _>(mcp_server::status_list::handle, |_| Lane::Free),
        route::<McpServerResourceRead, _>(mcp_server::resource_read::handle, |_| Lane::Free),
        route::<McpServerToolCall, _>(mcp_server::tool_call::handle, |_| Lane::Free),
        route::<ConfigRequirementsRead, _>(config_requirements::handle, |_| Lane::Free),
    ]
}

static ROUTES: LazyLock<HashMap<&'static str, Route>> =
    LazyLock::new(|| table().into_iter().map(|route| (route.name, route)).collect());

/// One method: its name, and how its params become a call.
pub(crate) struct Route {
    name: &'static str,
    decode: Decode,
}

type Decode = Box<dyn Fn(Option<&RawValue>) -> Result<Call, RpcError> + Send + Sync>;
type Answer = BoxFuture<'static, Result<Box<RawValue>, RpcError>>;

/// A request whose params were understood.
pub(crate) struct Call {
    pub(crate) lane: Lane,
    pub(crate) run: Box<dyn FnOnce(Context) -> Answer + Send>,
}

impl Route {
    /// Decodes the params.
    pub(crate) fn decode(&self, params: Option<&RawValue>) -> Result<Call, RpcError> {
        (self.decode)(params)
    }
}

/// Checks that a method exists in the protocol, built here or not.
pub(crate) fn known(method: &str) -> Result<&'static KnownMethod, RpcError> {
    known_method(method).ok_or_else(|| error::invalid(InvalidRequest::unknown_method(method).to_string()))
}

/// Finds the route of a method; a known one without a route is not built yet.
pub(crate) fn find(method: &str) -> Result<&'static Route, RpcError> {
    ROUTES.get(method).ok_or_else(|| error::invalid(format!("{method} is not supported by this server yet")))
}

fn route<M: Method, F>(handle: fn(Context, M::Params) -> F, lane: fn(&M::Params) -> Lane) -> Route
where
    F: Future<Output = Result<M::Response, RpcError>> + Send + 'static,
    M::Params: Send + 'static,
{
    let decode = move |params: Option<&RawValue>| {
        let params = decode::<M>(params)?;
        let lane = lane(&params);
        let run = move |context: Context| {
            async move {
                let response = handle(context, params).await?;
                to_raw_value(&response)
                    .map_err(|cause| RpcError::internal(format!("cannot encode the result: {cause}")))
            }
            .boxed()
        };
        Ok(Call { lane, run: Box::new(run) })
    };
    Route { name: M::NAME, decode: Box::new(decode) }
}

/// Decodes params; where they do not fit, the decoder's own words say how.
pub(crate) fn decode<M: Method>(params: Option<&RawValue>) -> Result<M::Params, RpcError> {
    decode_params::<M>(params).map_err(|refusal| error::invalid(refusal.to_string()))
}
