//! `apply_patch`: changes files as a patch says, all of them or none.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
    time::Instant,
};

use config::ApprovalPolicy;
use futures::{FutureExt, future::BoxFuture};
use patch::{ChangeKind, Patch, PatchError, Plan};
use rollout::Event;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    causes::with_causes,
    context::{Context, NoAnswer},
    exec::budget,
    host::{Began, Decision, PatchQuestion, Question},
    tool::{Call, Output, Stopped, Tool, function},
    turn::Forms,
    workshop::is_writable,
};

const DESCRIPTION: &str =
    "Changes files: adds, deletes, updates and moves them as the patch says, all or nothing.";

/// The tool in the form that the model takes.
pub(crate) struct ApplyPatch(pub(crate) Forms);

#[derive(Deserialize)]
struct Arguments {
    #[serde(alias = "patch")]
    input: String,
}

impl Tool for ApplyPatch {
    fn spec(&self) -> Option<Value> {
        Some(match self.0 {
            Forms::Custom => json!({
                "type": "custom",
                "name": "apply_patch",
                "description": DESCRIPTION,
                "format": { "type": "grammar", "syntax": "lark", "definition": patch::GRAMMAR },
            }),
            Forms::Functions => {
                let description =
                    format!("{DESCRIPTION} The patch is a text of this grammar:\n\n{}", patch::GRAMMAR);
                let input = json!({ "input": { "type": "string", "description": "The whole patch." } });
                function("apply_patch", &description, input, &["input"])
            }
        })
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            let text = match call.custom {
                true => call.input.clone(),
                false => match call.arguments::<Arguments>() {
                    Ok(arguments) => arguments.input,
                    Err(told) => return Ok(told),
                },
            };
            apply(call, cx, &cx.turn.cwd, &text).await
        }
        .boxed()
    }
}

/// Applies a patch that came as a shell command.
pub(crate) async fn from_shell(
    call: &Call,
    cx: &Context,
    cwd: &Path,
    wanted: shell::PatchCall,
) -> Result<Output, Stopped> {
    let cwd = wanted.workdir.map_or_else(|| cwd.to_owned(), |folder| cwd.join(folder));
    apply(call, cx, &cwd, &wanted.patch).await
}

/// A patch that fits, and where it would write.
struct Ready {
    plan: Plan,
    /// Where it would write.
    landings: Vec<PathBuf>,
    summary: String,
    /// Whether it stays within what may be changed.
    inside: bool,
}

async fn apply(call: &Call, cx: &Context, cwd: &Path, text: &str) -> Result<Output, Stopped> {
    let since = Instant::now();
    // One patch of a thread after the other: what a patch was fitted to must still be there when it is applied.
    let _alone = cx.thread.patching.lock().await;
    let Ready { plan, landings, summary, inside } = match ready(cx, cwd.to_owned(), text.to_owned()).await {
        Ok(ready) => ready,
        Err(reason) => return Ok(format!("apply_patch verification failed: {reason}").into()),
    };
    let changes = changes(&plan);
    let event = |status: &str, printed: &str, error: &str| Event::PatchApplyEnd {
        call_id: call.id.clone(),
        turn_id: Some(cx.turn.id.clone()),
        success: status == "completed",
        status: Some(status.to_owned()),
        changes: changes.clone(),
        extra: Map::from_iter([("stdout".to_owned(), printed.into()), ("stderr".to_owned(), error.into())]),
    };
    let paths: Vec<PathBuf> = plan.touched().map(Path::to_owned).collect();
    let began = match permit(cx, inside, &paths) {
        Permit::Granted => cx.begin(event("in_progress", "", "")).await,
        Permit::Refused => {
            return Ok("patch rejected: it writes outside of what may be changed, and the approval policy forbids to ask".into());
        }
        Permit::Asked => {
            let question = PatchQuestion { item: call.id.clone(), reason: None };
            let (began, answer) =
                cx.ask_about(event("in_progress", "", ""), |reply| Question::Patch(question, reply)).await;
            if let Some(refusal) = refusal(cx, answer, &paths) {
                cx.host.complete(event("declined", "", ""), began).await;
                return refusal;
            }
            began
        }
    };
    let plan = Arc::new(plan);
    let applied = {
        let plan = Arc::clone(&plan);
        tokio::task::spawn_blocking(move || plan.apply(&landings)).await
    };
    let applied =
        applied.map_err(|error| error.to_string()).and_then(|done| done.map_err(|error| with_causes(&error)));
    match applied {
        Ok(()) => {
            finish(cx, event("completed", &summary, ""), began, plan).await;
            Ok(budget::shell_text(0, since.elapsed(), &summary).into())
        }
        Err(reason) => {
            cx.host.complete(event("failed", "", &reason), began).await;
            Ok(budget::shell_text(1, since.elapsed(), &reason).into())
        }
    }
}

async fn finish(cx: &Context, event: Event, began: Began, plan: Arc<Plan>) {
    cx.host.complete(event, began).await;
    cx.show_diff(Some(plan)).await;
}

async fn ready(cx: &Context, cwd: PathBuf, text: String) -> Result<Ready, String> {
    let (thread, turn) = (Arc::clone(&cx.thread), Arc::clone(&cx.turn));
    let looked = tokio::task::spawn_blocking(move || -> Result<Ready, PatchError> {
        let patch = Patch::parse(&text)?;
        let plan = patch.plan(&cwd, patch::on_disk)?;
        let limits = thread.workshop.limits(&turn.sandbox, &turn.cwd, &thread.granted(&turn.id));
        let landings = plan.landings()?;
        let inside = landings.iter().all(|path| is_writable(&limits.files, path));
        Ok(Ready { summary: patch.summary(), plan, landings, inside })
    });
    looked.await.map_err(|error| error.to_string())?.map_err(|error| with_causes(&error))
}

enum Permit {
    Granted,
    Asked,
    Refused,
}

fn permit(cx: &Context, inside: bool, paths: &[PathBuf]) -> Permit {
    let allowed = cx.thread.allowed.lock().unwrap_or_else(PoisonError::into_inner);
    if paths.iter().all(|path| allowed.allows_file(path)) {
        return Permit::Granted;
    }
    match cx.turn.approval {
        ApprovalPolicy::Untrusted => Permit::Asked,
        _ if inside => Permit::Granted,
        ApprovalPolicy::Never => Permit::Refused,
        ApprovalPolicy::Granular(granular) if !granular.sandbox_approval => Permit::Refused,
        ApprovalPolicy::Granular(_) | ApprovalPolicy::OnFailure | ApprovalPolicy::OnRequest => Permit::Asked,
    }
}

/// Takes the person's answer in; `None` where it is yes.
fn refusal(
    cx: &Context,
    answer: Result<Decision, NoAnswer>,
    paths: &[PathBuf],
) -> Option<Result<Output, Stopped>> {
    match answer {
        Ok(Decision::Accept | Decision::AcceptWithRule(_)) => None,
        Ok(Decision::AcceptForSession) => {
            let mut allowed = cx.thread.allowed.lock().unwrap_or_else(PoisonError::into_inner);
            allowed.allow_files(paths.iter().map(PathBuf::as_path));
            None
        }
        Ok(Decision::Cancel) => Some(Err(Stopped("patch rejected by the person".to_owned()))),
        Ok(Decision::Decline | Decision::Unusable) => Some(Ok("patch rejected by user".into())),
        Err(NoAnswer::Refused) => {
            Some(Ok("patch rejected: the question whether it may be applied was not answered".into()))
        }
        Err(NoAnswer::Interrupted) => Some(Ok("aborted by user before the patch was applied".into())),
    }
}

/// The changes, by path, as rollouts keep them.
fn changes(plan: &Plan) -> Map<String, Value> {
    let of = |change: &patch::Change<'_>| match &change.kind {
        ChangeKind::Add { .. } => json!({ "type": "add", "content": change.diff() }),
        ChangeKind::Delete { .. } => json!({ "type": "delete", "content": change.diff() }),
        ChangeKind::Update { old, new, move_to } => {
            json!({ "type": "update", "unified_diff": patch::unified(old, new), "move_path": move_to })
        }
    };
    plan.changes().iter().map(|change| (change.path.to_string_lossy().into_owned(), of(change))).collect()
}
