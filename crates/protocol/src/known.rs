//! Every method that either published release knows, built here or not, and what of it is experimental.
//!
//! The list is what an unknown method is answered with, what the experimental gate looks at, and what tells a method
//! that is not built yet from one that does not exist.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

/// A method by name, and which part of it is experimental.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownMethod {
    /// The name on the wire.
    pub name: &'static str,
    /// Whether the whole method is experimental.
    pub experimental: bool,
    /// The params that are experimental in a method that is not.
    pub experimental_fields: &'static [&'static str],
}

/// A client used something experimental without having asked for it in the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedsExperimentalApi {
    what: String,
}

impl fmt::Display for NeedsExperimentalApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requires experimentalApi capability", self.what)
    }
}

impl std::error::Error for NeedsExperimentalApi {}

/// Finds a method by its name.
pub fn known_method(name: &str) -> Option<&'static KnownMethod> {
    KNOWN_METHODS.iter().find(|method| method.name == name)
}

impl KnownMethod {
    /// Refuses what a client without the experimental capability may not use: the method, or one of its params.
    ///
    /// A param that is null or false counts as absent. Params that are no object pass: decoding refuses them.
    pub fn check_stable(&self, params: Option<&RawValue>) -> Result<(), NeedsExperimentalApi> {
        if self.experimental {
            return Err(NeedsExperimentalApi { what: self.name.to_owned() });
        }
        let fields = params.map(RawValue::get).map(serde_json::from_str::<BTreeMap<String, &RawValue>>);
        let Some(Ok(fields)) = fields else { return Ok(()) };
        if let Some(field) = self.experimental_fields.iter().find(|field| is_used(&fields, field)) {
            return Err(NeedsExperimentalApi { what: format!("{}.{}", self.name, told_name(field)) });
        }
        if is_used(&fields, "approvalPolicy") && fields["approvalPolicy"].get().starts_with('{') {
            return Err(NeedsExperimentalApi { what: "askForApproval.granular".to_owned() });
        }
        Ok(())
    }
}

fn is_used(fields: &BTreeMap<String, &RawValue>, field: &str) -> bool {
    fields.get(field).is_some_and(|value| !matches!(value.get(), "null" | "false"))
}

/// Returns the name under which a field is refused; the published server calls one by an older name.
fn told_name(field: &str) -> &str {
    match field {
        "persistExtendedHistory" => "persistFullHistory",
        other => other,
    }
}

const fn stable(name: &'static str) -> KnownMethod {
    KnownMethod { name, experimental: false, experimental_fields: &[] }
}

const fn experimental(name: &'static str) -> KnownMethod {
    KnownMethod { name, experimental: true, experimental_fields: &[] }
}

const fn mixed(name: &'static str, experimental_fields: &'static [&'static str]) -> KnownMethod {
    KnownMethod { name, experimental: false, experimental_fields }
}

/// The methods of both releases, in the newer one's order.
pub const KNOWN_METHODS: &[KnownMethod] = &[
    stable("initialize"),
    experimental("server/diagnostics"),
    experimental("userVerification/status"),
    experimental("userVerification/enroll"),
    experimental("userVerification/delete"),
    experimental("userVerification/verify"),
    experimental("userVerification/cancel"),
    mixed(
        "thread/start",
        &[
            "dynamicTools",
            "experimentalRawEvents",
            "mockExperimentalField",
            "persistExtendedHistory",
            "allowProviderModelFallback",
            "daybreakEnabled",
            "environments",
            "historyMode",
            "multiAgentMode",
            "permissions",
            "projectId",
            "runtimeWorkspaceRoots",
            "selectedCapabilityRoots",
        ],
    ),
    mixed(
        "thread/resume",
        &[
            "history",
            "path",
            "persistExtendedHistory",
            "initialTurnsPage",
            "permissions",
            "runtimeWorkspaceRoots",
        ],
    ),
    mixed(
        "thread/fork",
        &[
            "path",
            "persistExtendedHistory",
            "attachToSource",
            "beforeTurnId",
            "deferGoalContinuation",
            "experimentalDisablePredictionMcp",
            "experimentalPredictionMode",
            "permissions",
            "runtimeWorkspaceRoots",
        ],
    ),
    experimental("thread/sample"),
    experimental("thread/sample/cancel"),
    stable("thread/archive"),
    stable("thread/delete"),
    stable("thread/unsubscribe"),
    experimental("thread/increment_elicitation"),
    experimental("thread/decrement_elicitation"),
    stable("thread/name/set"),
    experimental("thread/prediction/request"),
    stable("thread/goal/set"),
    stable("thread/goal/get"),
    stable("thread/goal/clear"),
    experimental("thread/queue/add"),
    experimental("thread/queue/list"),
    experimental("thread/queue/update"),
    experimental("thread/queue/delete"),
    experimental("thread/queue/reorder"),
    experimental("thread/queue/start"),
    mixed("thread/metadata/update", &["daybreakEnabled", "projectId"]),
    stable("thread/attachment/add"),
    stable("thread/attachment/list"),
    stable("thread/attachmentOwner/list"),
    stable("thread/attachment/remove"),
    stable("thread/section/move"),
    experimental("thread/settings/update"),
    experimental("thread/memoryMode/set"),
    experimental("thread/memory/read"),
    experimental("memory/status"),
    experimental("memory/reset"),
    experimental("rollout/compress"),
    stable("thread/unarchive"),
    stable("thread/compact/start"),
    stable("thread/shellCommand"),
    stable("thread/approveGuardianDeniedAction"),
    experimental("thread/backgroundTerminals/clean"),
    experimental("thread/backgroundTerminals/list"),
    experimental("thread/backgroundTerminals/terminate"),
    stable("thread/rollback"),
    stable("thread/revert"),
    mixed(
        "thread/list",
        &["ancestorThreadId", "attachedToThreadId", "includeAttachedThreads", "parentThreadId", "projectId"],
    ),
    experimental("project/list"),
    experimental("project/read"),
    experimental("project/create"),
    experimental("project/import"),
    experimental("project/update"),
    experimental("project/move"),
    experimental("project/delete"),
    stable("threadSection/list"),
    stable("threadSection/create"),
    stable("threadSection/update"),
    stable("threadSection/delete"),
    experimental("thread/search"),
    experimental("thread/searchOccurrences"),
    stable("thread/loaded/list"),
    stable("thread/read"),
    experimental("thread/readState/update"),
    stable("thread/turns/list"),
    stable("thread/items/list"),
    experimental("thread/items/read"),
    experimental("thread/guardianReview"),
    stable("thread/inject_items"),
    experimental("thread/prepareApprovedPlan"),
    stable("skills/list"),
    stable("skills/extraRoots/set"),
    stable("hooks/list"),
    stable("marketplace/add"),
    stable("marketplace/remove"),
    stable("marketplace/upgrade"),
    stable("plugin/list"),
    experimental("plugin/search"),
    stable("plugin/installed"),
    stable("plugin/reconcile"),
    stable("plugin/read"),
    stable("plugin/skill/read"),
    stable("plugin/share/save"),
    stable("plugin/share/updateTargets"),
    stable("plugin/share/list"),
    stable("plugin/share/checkout"),
    stable("plugin/share/delete"),
    stable("app/read"),
    stable("app/list"),
    stable("app/installed"),
    stable("fs/readFile"),
    stable("fs/writeFile"),
    stable("fs/createDirectory"),
    stable("fs/getMetadata"),
    stable("fs/readDirectory"),
    stable("fs/remove"),
    stable("fs/copy"),
    stable("fs/watch"),
    stable("fs/unwatch"),
    stable("skills/config/write"),
    stable("plugin/install"),
    stable("plugin/uninstall"),
    mixed(
        "turn/start",
        &[
            "collaborationMode",
            "responsesapiClientMetadata",
            "additionalContext",
            "cyberAccessProgram",
            "environments",
            "multiAgentMode",
            "permissions",
            "responsesapiClientMetadataPatch",
            "runtimeWorkspaceRoots",
        ],
    ),
    experimental("turn/settings/update"),
    mixed(
        "turn/steer",
        &["responsesapiClientMetadata", "additionalContext", "responsesapiClientMetadataPatch"],
    ),
    stable("turn/interrupt"),
    experimental("thread/realtime/start"),
    experimental("thread/realtime/appendAudio"),
    experimental("thread/realtime/appendText"),
    experimental("thread/realtime/appendSpeech"),
    experimental("thread/realtime/stop"),
    experimental("thread/timeline/list"),
    experimental("thread/realtime/listVoices"),
    stable("review/start"),
    stable("model/list"),
    stable("account/gatewayOAuth/read"),
    stable("account/gatewayOAuth/login"),
    stable("account/gatewayOAuth/cancel"),
    stable("modelProvider/list"),
    stable("modelProvider/config/write"),
    stable("modelProvider/capabilities/read"),
    stable("experimentalFeature/list"),
    stable("permissionProfile/list"),
    stable("experimentalFeature/enablement/set"),
    experimental("remoteControl/enable"),
    experimental("remoteControl/disable"),
    experimental("remoteControl/status/read"),
    experimental("remoteControl/pairing/start"),
    experimental("remoteControl/pairing/status"),
    experimental("remoteControl/client/list"),
    experimental("remoteControl/client/revoke"),
    experimental("collaborationMode/list"),
    experimental("mock/experimentalMethod"),
    experimental("environment/add"),
    experimental("environment/info"),
    experimental("environment/status"),
    stable("mcpServer/oauth/login"),
    stable("config/mcpServer/reload"),
    stable("mcpServerStatus/list"),
    stable("mcpServer/resource/read"),
    experimental("mcpServer/event/stream/start"),
    experimental("mcpServer/event/stream/stop"),
    stable("mcpServer/tool/call"),
    stable("windowsSandbox/setupStart"),
    stable("windowsSandbox/readiness"),
    stable("account/login/start"),
    experimental("account/bedrock/discover"),
    experimental("account/bedrock/setup"),
    experimental("account/gcp/setup"),
    experimental("account/bedrock/checkGovCloudRequirements"),
    stable("account/login/cancel"),
    experimental("accountSession/list"),
    experimental("accountSession/switch"),
    stable("account/logout"),
    stable("account/securitySetup/read"),
    stable("account/rateLimits/read"),
    stable("account/rateLimitResetCredit/consume"),
    stable("account/usage/read"),
    stable("account/workspaceMessages/read"),
    stable("account/sendAddCreditsNudgeEmail"),
    stable("feedback/upload"),
    stable("feedback/save"),
    mixed("command/exec", &["permissionProfile"]),
    stable("command/exec/write"),
    stable("command/exec/terminate"),
    stable("command/exec/resize"),
    experimental("process/spawn"),
    experimental("process/writeStdin"),
    experimental("process/kill"),
    experimental("process/resizePty"),
    stable("config/read"),
    stable("externalAgentConfig/detect"),
    stable("externalAgentConfig/import"),
    stable("externalAgentConfig/import/recordHistory"),
    stable("externalAgentConfig/import/readHistories"),
    stable("config/value/write"),
    stable("config/batchWrite"),
    stable("configRequirements/read"),
    stable("account/read"),
    stable("getConversationSummary"),
    stable("gitDiffToRemote"),
    stable("getAuthStatus"),
    stable("fuzzyFileSearch"),
    experimental("fuzzyFileSearch/sessionStart"),
    experimental("fuzzyFileSearch/sessionUpdate"),
    experimental("fuzzyFileSearch/sessionStop"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pretty_assertions::assert_eq;
    use serde_json::{Value, json, value::to_raw_value};

    use super::*;

    fn refusal(method: &str, params: Value) -> Option<String> {
        let params = to_raw_value(&params).unwrap();
        let method = known_method(method).unwrap();
        method.check_stable(Some(&params)).err().map(|refusal| refusal.to_string())
    }

    #[test]
    fn no_method_is_listed_twice() {
        let names: BTreeSet<_> = KNOWN_METHODS.iter().map(|method| method.name).collect();
        assert_eq!(names.len(), KNOWN_METHODS.len());
    }

    #[test]
    fn what_is_experimental_is_refused_by_name() {
        for (method, params, what) in [
            ("mock/experimentalMethod", json!({}), "mock/experimentalMethod"),
            ("thread/resume", json!({"threadId": "t", "path": "/p"}), "thread/resume.path"),
            ("thread/start", json!({"dynamicTools": []}), "thread/start.dynamicTools"),
            ("thread/start", json!({"persistExtendedHistory": true}), "thread/start.persistFullHistory"),
            ("turn/start", json!({"approvalPolicy": {"granular": {}}}), "askForApproval.granular"),
        ] {
            let text = format!("{what} requires experimentalApi capability");
            assert_eq!(refusal(method, params), Some(text), "{method}");
        }
    }

    #[test]
    fn what_is_stable_or_not_used_passes() {
        for (method, params) in [
            ("thread/start", json!({"mockExperimentalField": null, "experimentalRawEvents": false})),
            ("thread/start", json!({"approvalPolicy": "never", "fromTheFuture": 1})),
            ("thread/resume", json!({"threadId": "t", "excludeTurns": true})),
            ("thread/start", json!([1])),
        ] {
            assert_eq!(refusal(method, params), None, "{method}");
        }
        assert_eq!(known_method("thread/list").unwrap().check_stable(None), Ok(()));
    }
}
