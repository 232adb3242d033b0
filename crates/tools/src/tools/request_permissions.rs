//! `request_permissions`: the model asks for more than the sandbox allows.

use std::path::{Path, PathBuf};

use config::ApprovalPolicy;
use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    context::{Context, NoAnswer},
    host::{Grant, GrantScope, Permissions, PermissionsQuestion, Question, WaitsOn},
    tool::{Call, Output, Stopped, Tool, function},
};

pub(crate) struct RequestPermissions;

#[derive(Deserialize)]
struct Arguments {
    reason: Option<String>,
    permissions: Asked,
}

#[derive(Default, Deserialize)]
struct Asked {
    file_system: Option<Folders>,
    network: Option<Network>,
}

#[derive(Deserialize)]
struct Folders {
    read: Option<Vec<PathBuf>>,
    write: Option<Vec<PathBuf>>,
}

#[derive(Deserialize)]
struct Network {
    enabled: Option<bool>,
}

impl Tool for RequestPermissions {
    fn spec(&self) -> Option<Value> {
        let folders = json!({ "type": "array", "items": { "type": "string" } });
        let permissions = json!({
            "type": "object",
            "properties": {
                "file_system": {
                    "type": "object",
                    "properties": { "read": folders, "write": folders },
                    "additionalProperties": false,
                },
                "network": {
                    "type": "object",
                    "properties": { "enabled": { "type": "boolean" } },
                    "additionalProperties": false,
                },
            },
            "additionalProperties": false,
        });
        Some(function(
            "request_permissions",
            "Asks the person for more than the sandbox allows: folders to write, or the network. What is granted holds \
             for the later commands of this turn, or longer if the person says so.",
            json!({
                "reason": { "type": "string", "description": "Why, in one sentence for the person." },
                "permissions": permissions,
            }),
            &["permissions"],
        ))
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            let Arguments { reason, permissions } = match call.arguments() {
                Ok(arguments) => arguments,
                Err(told) => return Ok(told),
            };
            let asks = match &cx.turn.approval {
                ApprovalPolicy::Never => false,
                ApprovalPolicy::Granular(granular) => granular.request_permissions,
                _ => true,
            };
            if !asks {
                return Ok("rejected: the approval policy forbids to ask for permissions".into());
            }
            let wanted = absolute(permissions, &cx.turn.cwd);
            let question = PermissionsQuestion {
                item: call.id.clone(),
                reason,
                cwd: cx.turn.cwd.clone(),
                wanted: wanted.clone(),
            };
            let ask = |reply| Question::Permissions(question, reply);
            let grant = match cx.ask_person(WaitsOn::Approval, ask).await {
                Ok(grant) => grant,
                Err(NoAnswer::Refused) => Grant::default(),
                Err(NoAnswer::Interrupted) => return Ok("aborted by user".into()),
            };
            let granted = both(&wanted, &grant.permissions);
            cx.thread.grant(&cx.turn.id, &granted, grant.scope);
            Ok(told(&granted, grant.scope).into())
        }
        .boxed()
    }
}

fn absolute(asked: Asked, cwd: &Path) -> Permissions {
    let below = |paths: Vec<PathBuf>| paths.iter().map(|path| patch::resolve(cwd, path)).collect();
    let (read, write) = asked.file_system.map_or((None, None), |folders| (folders.read, folders.write));
    Permissions {
        read: read.map(below),
        write: write.map(below),
        network: asked.network.and_then(|network| network.enabled),
    }
}

/// What was both wanted and granted: an answer cannot give more than was asked for.
fn both(wanted: &Permissions, granted: &Permissions) -> Permissions {
    let within = |wanted: &Option<Vec<PathBuf>>, granted: &Option<Vec<PathBuf>>| {
        let wanted = wanted.as_ref()?;
        let granted = granted.iter().flatten();
        let paths = granted
            .map(|path| patch::resolve(Path::new("/"), path))
            .filter(|path| wanted.iter().any(|root| path.starts_with(root)));
        Some(paths.collect::<Vec<_>>()).filter(|paths| !paths.is_empty())
    };
    Permissions {
        read: within(&wanted.read, &granted.read),
        write: within(&wanted.write, &granted.write),
        network: (wanted.network == Some(true) && granted.network == Some(true)).then_some(true),
    }
}

fn told(granted: &Permissions, scope: GrantScope) -> String {
    let mut permissions = Map::new();
    let mut folders = Map::new();
    for (name, paths) in [("read", &granted.read), ("write", &granted.write)] {
        if let Some(paths) = paths {
            folders.insert(name.to_owned(), json!(paths));
        }
    }
    if !folders.is_empty() {
        permissions.insert("file_system".to_owned(), folders.into());
    }
    if let Some(enabled) = granted.network {
        permissions.insert("network".to_owned(), json!({ "enabled": enabled }));
    }
    let scope = match scope {
        GrantScope::Turn => "turn",
        GrantScope::Session => "session",
    };
    json!({ "permissions": permissions, "scope": scope }).to_string()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn no_answer_grants_more_than_was_wanted() {
        let write = |paths: &[&str]| Permissions {
            write: Some(paths.iter().map(PathBuf::from).collect()),
            ..Permissions::default()
        };
        for (granted, expected) in [
            (&["/w"][..], Some(vec![PathBuf::from("/w")])),
            (&["/w/sub", "/other"], Some(vec![PathBuf::from("/w/sub")])),
            (&["/w/../etc"], None),
            (&["/"], None),
            (&[], None),
        ] {
            assert_eq!(both(&write(&["/w", "/x"]), &write(granted)).write, expected, "{granted:?}");
        }
        let network = |on| Permissions { network: Some(on), ..Permissions::default() };
        assert_eq!(both(&network(true), &network(true)).network, Some(true));
        assert_eq!(both(&network(false), &network(true)).network, None);
        assert_eq!(both(&write(&["/w"]), &network(true)), Permissions::default());
    }

    #[test]
    fn what_is_wanted_is_named_by_whole_paths() {
        let asked =
            serde_json::from_value(json!({ "file_system": { "write": [".", "../shared"] } })).unwrap();
        let wanted = absolute(asked, Path::new("/home/ws"));
        assert_eq!(wanted.write, Some(vec!["/home/ws".into(), "/home/shared".into()]));
        assert_eq!(
            told(&wanted, GrantScope::Turn),
            r#"{"permissions":{"file_system":{"write":["/home/ws","/home/shared"]}},"scope":"turn"}"#
        );
    }
}
