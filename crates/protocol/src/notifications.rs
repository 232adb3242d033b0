//! What the server tells without being asked.
//!
//! Only notifications that both published releases know, and those that follow from a call which the newer one alone
//! has: a client that made the call knows them.

mod item;
mod server;
mod thread;
mod turn;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::item::*;
pub use self::server::*;
pub use self::thread::*;
pub use self::turn::*;
use crate::{
    ThreadAttachmentUpdatedNotification, ThreadGoalClearedNotification, ThreadGoalUpdatedNotification,
    ThreadSectionChangedNotification,
};

/// Declares the notifications: a variant, what it holds, and its method, in one line.
macro_rules! server_notifications {
    ($($variant:ident($params:ty) = $method:literal,)*) => {
        /// Everything that the server may tell without being asked.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
        #[serde(tag = "method", content = "params")]
        pub enum ServerNotification {
            $(#[serde(rename = $method)] $variant($params),)*
        }

        impl ServerNotification {
            /// Returns the name by which clients know, and may opt out of, the notification.
            pub fn method(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $method,)*
                }
            }
        }
    };
}

server_notifications! {
    Error(ErrorNotification) = "error",
    ThreadStarted(Box<ThreadStartedNotification>) = "thread/started",
    ThreadStatusChanged(ThreadStatusChangedNotification) = "thread/status/changed",
    ThreadArchived(ThreadArchivedNotification) = "thread/archived",
    ThreadUnarchived(ThreadUnarchivedNotification) = "thread/unarchived",
    ThreadDeleted(ThreadDeletedNotification) = "thread/deleted",
    ThreadClosed(ThreadClosedNotification) = "thread/closed",
    ThreadReverted(ThreadRevertedNotification) = "thread/reverted",
    ThreadSectionChanged(ThreadSectionChangedNotification) = "thread/section/changed",
    ThreadAttachmentUpdated(ThreadAttachmentUpdatedNotification) = "thread/attachment/updated",
    ThreadGoalUpdated(ThreadGoalUpdatedNotification) = "thread/goal/updated",
    ThreadGoalCleared(ThreadGoalClearedNotification) = "thread/goal/cleared",
    ThreadNameUpdated(ThreadNameUpdatedNotification) = "thread/name/updated",
    ThreadTokenUsageUpdated(ThreadTokenUsageUpdatedNotification) = "thread/tokenUsage/updated",
    TurnStarted(TurnStartedNotification) = "turn/started",
    TurnCompleted(TurnCompletedNotification) = "turn/completed",
    TurnPlanUpdated(TurnPlanUpdatedNotification) = "turn/plan/updated",
    TurnDiffUpdated(TurnDiffUpdatedNotification) = "turn/diff/updated",
    ItemStarted(ItemStartedNotification) = "item/started",
    ItemCompleted(ItemCompletedNotification) = "item/completed",
    AgentMessageDelta(AgentMessageDeltaNotification) = "item/agentMessage/delta",
    PlanDelta(PlanDeltaNotification) = "item/plan/delta",
    ReasoningSummaryTextDelta(ReasoningSummaryTextDeltaNotification) = "item/reasoning/summaryTextDelta",
    ReasoningSummaryPartAdded(ReasoningSummaryPartAddedNotification) = "item/reasoning/summaryPartAdded",
    ReasoningTextDelta(ReasoningTextDeltaNotification) = "item/reasoning/textDelta",
    CommandExecutionOutputDelta(CommandExecutionOutputDeltaNotification) = "item/commandExecution/outputDelta",
    TerminalInteraction(TerminalInteractionNotification) = "item/commandExecution/terminalInteraction",
    FileChangeOutputDelta(FileChangeOutputDeltaNotification) = "item/fileChange/outputDelta",
    McpToolCallProgress(McpToolCallProgressNotification) = "item/mcpToolCall/progress",
    McpServerStatusUpdated(McpServerStatusUpdatedNotification) = "mcpServer/startupStatus/updated",
    AccountRateLimitsUpdated(AccountRateLimitsUpdatedNotification) = "account/rateLimits/updated",
    ModelRerouted(ModelReroutedNotification) = "model/rerouted",
    DeprecationNotice(DeprecationNoticeNotification) = "deprecationNotice",
    ConfigWarning(ConfigWarningNotification) = "configWarning",
    ServerRequestResolved(ServerRequestResolvedNotification) = "serverRequest/resolved",
}
