//! A row held against what its file says.

use rollout::{GitInfo, Summary};
use state::{IndexedFile, ThreadRow};

/// What a file says, read afresh.
pub(crate) struct Fresh<'a> {
    /// Its head and tail; `None` where it holds no thread.
    pub(crate) summary: Option<&'a Summary>,
    /// The git metadata of the last later session record, wherever in the file it is.
    pub(crate) later_git: Option<&'a Option<GitInfo>>,
    /// Whether it lies in the archive.
    pub(crate) archived: bool,
}

/// Returns the fields in which a row differs from its file, which is in the state that the row is of.
pub(crate) fn differing(row: &IndexedFile, fresh: &Fresh<'_>) -> Vec<&'static str> {
    let IndexedFile { row, searched } = row;
    let (row, told) = match (row, fresh.summary) {
        (Some(row), Some(told)) => (row, told),
        (None, None) => return vec![],
        _ => return vec!["thread"],
    };
    let ThreadRow { summary: row, path: _, archived, stamp: _ } = row;
    // Without a name for what is left out, a new field could be forgotten.
    let Summary {
        id,
        created_at,
        cwd,
        originator,
        cli_version,
        source,
        model_provider,
        model,
        reasoning_effort,
        preview,
        git,
        git_at: _,
        forked_from,
        parent,
        history_mode,
    } = told;
    // A row of a file whose middle was not searched yet may lack what stands there.
    let is_git_known = *searched || told.git_at.is_some();
    let git = fresh.later_git.unwrap_or(git);
    let fields = [
        ("thread", row.id == *id),
        ("createdAt", row.created_at.timestamp_millis() == created_at.timestamp_millis()),
        ("cwd", row.cwd == *cwd),
        ("originator", row.originator == *originator),
        ("cliVersion", row.cli_version == *cli_version),
        ("source", row.source == *source),
        ("modelProvider", row.model_provider == *model_provider),
        ("model", row.model == *model),
        ("reasoningEffort", row.reasoning_effort == *reasoning_effort),
        ("preview", row.preview == *preview),
        ("git", row.git == *git || !is_git_known),
        ("forkedFrom", row.forked_from == *forked_from),
        ("parent", row.parent == *parent),
        ("historyMode", row.history_mode == *history_mode),
        ("archived", *archived == fresh.archived),
    ];
    fields.into_iter().filter(|(_, same)| !same).map(|(field, _)| field).collect()
}
