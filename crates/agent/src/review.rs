//! A review: the model looks at a change in a conversation of its own, of which the thread keeps the outcome.

use items::{ResponseItem, Role};
use rollout::Event as StoredEvent;
use serde_json::{Map, Value, json};

use crate::{
    failure::Failure,
    git, records,
    session::{Known, Session},
    steering::Steering,
    turn::{Aside, Progress, Stop},
};

/// What the model is told of its task.
const PROMPT: &str = include_str!("prompts/review.md");

/// How much of a commit's id people read.
const SHORT_SHA: usize = 7;

/// What is reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewTarget {
    /// What is changed and not committed, new files included.
    UncommittedChanges,
    /// What differs from a branch.
    BaseBranch(String),
    /// What a commit changed.
    Commit {
        /// The commit.
        sha: String,
        /// Its subject, where the client knows it.
        title: Option<String>,
    },
    /// What the person says.
    Custom(String),
}

impl ReviewTarget {
    /// Returns the subject of the review, in a few words for the person.
    pub fn hint(&self) -> String {
        match self {
            Self::UncommittedChanges => "current changes".to_owned(),
            Self::BaseBranch(branch) => format!("changes against '{branch}'"),
            Self::Commit { sha, title } => {
                let short: String = sha.chars().take(SHORT_SHA).collect();
                match title {
                    Some(title) => format!("commit {short}: {title}"),
                    None => format!("commit {short}"),
                }
            }
            Self::Custom(instructions) => instructions.clone(),
        }
    }

    /// Returns what the model is asked.
    async fn question(&self, session: &Session) -> Result<String, Failure> {
        Ok(match self {
            Self::UncommittedChanges => {
                "Review what is changed in this repository and not committed: staged, unstaged \
                                         and untracked files. Begin with `git status` and `git diff HEAD`."
                    .to_owned()
            }
            Self::BaseBranch(branch) => {
                let base = git::merge_base(&session.settings.cwd, branch).await.ok_or_else(|| {
                    let cwd = session.settings.cwd.display();
                    Failure::internal(format!("git knows no common ancestor of `{branch}` and HEAD in {cwd}"))
                })?;
                format!(
                    "Review what was changed since this work left the branch `{branch}`, at commit {base}. Begin with \
                     `git diff {base}`."
                )
            }
            Self::Commit { sha, title } => {
                let title = title.as_ref().map(|title| format!(" (\"{title}\")")).unwrap_or_default();
                format!("Review what the commit {sha}{title} changes. Begin with `git show {sha}`.")
            }
            Self::Custom(instructions) => instructions.clone(),
        })
    }

    fn stored(&self) -> Value {
        match self {
            Self::UncommittedChanges => json!({ "type": "uncommittedChanges" }),
            Self::BaseBranch(branch) => json!({ "type": "baseBranch", "branch": branch }),
            Self::Commit { sha, title } => json!({ "type": "commit", "sha": sha, "title": title }),
            Self::Custom(instructions) => json!({ "type": "custom", "instructions": instructions }),
        }
    }
}

/// Runs a review as a turn. However it ends, the thread leaves the review mode that it entered.
pub(crate) async fn run(
    session: &mut Session,
    progress: &mut Progress,
    steering: &Steering,
    target: &ReviewTarget,
) -> Result<(), Stop> {
    let entered = StoredEvent::EnteredReviewMode {
        user_facing_hint: Some(target.hint()),
        extra: named(&progress.id, "review", [("target", target.stored())]),
    };
    session.keep(Vec::new(), std::slice::from_ref(&entered))?;
    session.show(progress, vec![entered], false, None).await;

    let reviewed = look(session, progress, steering, target).await;
    let (output, outcome) = match reviewed {
        Ok(said) => (Some(read(&said)), Ok(())),
        Err(stop) => (None, Err(stop)),
    };
    let text = history::review_text(output.as_ref());
    let exited =
        StoredEvent::ExitedReviewMode { review_output: output, extra: named(&progress.id, "review-end", []) };
    let mut items = Vec::new();
    let mut message = None;
    if outcome.is_ok() {
        let said = ResponseItem::message(Role::Assistant, &text);
        let id = format!("{}-review-text", progress.id);
        message = Some(records::agent_message(&said, text, &progress.id, &id));
        let subject = format!(
            "<user_action>\nThe person had a review made of: {}. Its outcome follows.\n</user_action>",
            target.hint()
        );
        items = vec![ResponseItem::message(Role::User, subject), said];
    }
    let events: Vec<_> = [exited.clone()].into_iter().chain(message.clone()).collect();
    session.keep(items, &events)?;
    session.show(progress, vec![exited], false, None).await;
    if let Some(message) = message {
        progress.said(message.clone());
        session.show(progress, vec![message], false, None).await;
    }
    outcome
}

/// Has the model look, in a conversation that begins with the question; returns what it said last.
async fn look(
    session: &mut Session,
    progress: &mut Progress,
    steering: &Steering,
    target: &ReviewTarget,
) -> Result<String, Stop> {
    let question = target.question(session).await.map_err(Stop::Failed)?;
    let total = session.known.get_or_insert_default().total.clone();
    let of_thread = session.known.replace(Known { total, ..Known::default() });
    let mut items = session.announcements();
    items.push(ResponseItem::message(Role::User, question));
    session.learn(items);
    progress.aside = Some(Aside { instructions: PROMPT, said: String::new() });
    let done = session.work(progress, steering, None).await;
    let said = progress.aside.take().map(|aside| aside.said).unwrap_or_default();
    let total = session.known.take().map(|known| known.total).unwrap_or_default();
    session.known = of_thread.map(|known| Known { total, ..known });
    done.map(|()| said)
}

/// Reads the findings; words that are no such JSON are the explanation.
fn read(said: &str) -> Value {
    let inner = said.find('{').zip(said.rfind('}')).and_then(|(start, end)| said.get(start..=end));
    [Some(said), inner]
        .into_iter()
        .flatten()
        .find_map(|text| {
            serde_json::from_str::<Value>(text).ok().filter(|value| value["findings"].is_array())
        })
        .unwrap_or_else(|| json!({ "findings": [], "overall_explanation": said }))
}

fn named<const N: usize>(turn: &str, what: &str, fields: [(&str, Value); N]) -> Map<String, Value> {
    let id = [("item_id", format!("{turn}-{what}").into()), ("turn_id", turn.into())];
    id.into_iter().chain(fields).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_target_has_a_subject() {
        let commit = |title: Option<&str>| ReviewTarget::Commit {
            sha: "1234567deadbeef".into(),
            title: title.map(str::to_owned),
        };
        for (target, hint) in [
            (ReviewTarget::UncommittedChanges, "current changes"),
            (ReviewTarget::BaseBranch("main".into()), "changes against 'main'"),
            (commit(Some("Tidy")), "commit 1234567: Tidy"),
            (commit(None), "commit 1234567"),
            (ReviewTarget::Custom("look".into()), "look"),
        ] {
            assert_eq!(target.hint(), hint);
        }
    }

    #[test]
    fn findings_are_read_with_words_around_them_and_words_alone_are_kept() {
        let findings = json!({ "findings": [{ "title": "t" }], "overall_explanation": "e" });
        assert_eq!(read(&findings.to_string()), findings);
        assert_eq!(read(&format!("```json\n{findings}\n```")), findings);
        for words in ["just prose", "", "{\"other\": 1}", "} {"] {
            assert_eq!(read(words), json!({ "findings": [], "overall_explanation": words }));
        }
    }
}
