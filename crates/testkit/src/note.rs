//! Notifications by their types.

use protocol::*;

/// The content of one kind of notification.
pub trait Note: Sized {
    /// Takes the content out of a notification of this kind.
    fn take(notification: ServerNotification) -> Option<Self>;
}

macro_rules! notes {
    ($($variant:ident $content:ident)*) => {
        $(impl Note for $content {
            fn take(notification: ServerNotification) -> Option<Self> {
                match notification {
                    ServerNotification::$variant(content) => Some(content),
                    _ => None,
                }
            }
        })*
    };
}

notes! {
    Error ErrorNotification
    ThreadStatusChanged ThreadStatusChangedNotification
    ThreadArchived ThreadArchivedNotification
    ThreadUnarchived ThreadUnarchivedNotification
    ThreadDeleted ThreadDeletedNotification
    ThreadClosed ThreadClosedNotification
    ThreadReverted ThreadRevertedNotification
    ThreadSectionChanged ThreadSectionChangedNotification
    ThreadAttachmentUpdated ThreadAttachmentUpdatedNotification
    ThreadGoalUpdated ThreadGoalUpdatedNotification
    ThreadGoalCleared ThreadGoalClearedNotification
    ThreadNameUpdated ThreadNameUpdatedNotification
    ThreadTokenUsageUpdated ThreadTokenUsageUpdatedNotification
    TurnStarted TurnStartedNotification
    TurnCompleted TurnCompletedNotification
    TurnPlanUpdated TurnPlanUpdatedNotification
    TurnDiffUpdated TurnDiffUpdatedNotification
    ItemStarted ItemStartedNotification
    ItemCompleted ItemCompletedNotification
    AgentMessageDelta AgentMessageDeltaNotification
    PlanDelta PlanDeltaNotification
    ReasoningSummaryTextDelta ReasoningSummaryTextDeltaNotification
    ReasoningSummaryPartAdded ReasoningSummaryPartAddedNotification
    ReasoningTextDelta ReasoningTextDeltaNotification
    CommandExecutionOutputDelta CommandExecutionOutputDeltaNotification
    TerminalInteraction TerminalInteractionNotification
    FileChangeOutputDelta FileChangeOutputDeltaNotification
    McpToolCallProgress McpToolCallProgressNotification
    McpServerStatusUpdated McpServerStatusUpdatedNotification
    AccountRateLimitsUpdated AccountRateLimitsUpdatedNotification
    ModelRerouted ModelReroutedNotification
    DeprecationNotice DeprecationNoticeNotification
    ConfigWarning ConfigWarningNotification
    ServerRequestResolved ServerRequestResolvedNotification
}

impl Note for ThreadStartedNotification {
    fn take(notification: ServerNotification) -> Option<Self> {
        match notification {
            ServerNotification::ThreadStarted(content) => Some(*content),
            _ => None,
        }
    }
}
