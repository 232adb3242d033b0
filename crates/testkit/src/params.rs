//! Params of calls that take little: whoever needs more fills in the struct.

use protocol::{
    PatchField, ThreadArchiveParams, ThreadDeleteParams, ThreadForkParams, ThreadGoalClearParams,
    ThreadGoalGetParams, ThreadGoalSetParams, ThreadItemsListParams, ThreadMetadataGitInfoUpdateParams,
    ThreadMetadataUpdateParams, ThreadReadParams, ThreadResumeParams, ThreadTurnsListParams,
    ThreadUnarchiveParams, ThreadUnsubscribeParams, TurnStartParams, UserInput,
};

/// Says which thread a call is about, and nothing else.
pub fn of(thread: impl AsRef<str>) -> Of {
    Of(thread.as_ref().to_owned())
}

/// A thread that a call is about; becomes the params of any call that needs no more.
#[derive(Clone, Debug)]
pub struct Of(String);

macro_rules! params_of_a_thread {
    ($($params:ident)*) => {
        $(impl From<Of> for $params {
            fn from(Of(thread_id): Of) -> Self {
                // Where a thread is all that there is to say, the rest is empty.
                #[allow(clippy::needless_update)]
                Self { thread_id, ..Self::default() }
            }
        })*
    };
}

params_of_a_thread! {
    ThreadArchiveParams ThreadDeleteParams ThreadForkParams ThreadGoalClearParams ThreadGoalGetParams ThreadGoalSetParams
    ThreadItemsListParams ThreadReadParams ThreadResumeParams
    ThreadTurnsListParams ThreadUnarchiveParams ThreadUnsubscribeParams
}

/// Reads a thread with its turns.
pub fn with_turns(thread: impl AsRef<str>) -> ThreadReadParams {
    ThreadReadParams { include_turns: Some(true), ..of(thread).into() }
}

/// Says a text to the agent.
pub fn ask(thread: impl AsRef<str>, text: &str) -> TurnStartParams {
    let input = vec![UserInput::Text { text: text.to_owned(), text_elements: Vec::new() }];
    TurnStartParams { thread_id: thread.as_ref().to_owned(), input, ..TurnStartParams::default() }
}

/// Patches nothing of a thread, until told what.
pub fn patch(thread: impl AsRef<str>) -> Patch {
    Patch { thread_id: thread.as_ref().to_owned(), git: ThreadMetadataGitInfoUpdateParams::default() }
}

/// A patch of what is stored about a thread.
#[derive(Clone, Debug)]
pub struct Patch {
    thread_id: String,
    git: ThreadMetadataGitInfoUpdateParams,
}

impl Patch {
    /// Turns the patch on another thread.
    pub fn thread(self, thread: impl AsRef<str>) -> Self {
        Self { thread_id: thread.as_ref().to_owned(), ..self }
    }

    /// Patches the commit.
    pub fn sha(mut self, sha: impl Into<Field>) -> Self {
        self.git.sha = sha.into().0;
        self
    }

    /// Patches the branch.
    pub fn branch(mut self, branch: impl Into<Field>) -> Self {
        self.git.branch = branch.into().0;
        self
    }

    /// Patches the URL of the origin.
    pub fn origin_url(mut self, origin_url: impl Into<Field>) -> Self {
        self.git.origin_url = origin_url.into().0;
        self
    }
}

impl From<Patch> for ThreadMetadataUpdateParams {
    fn from(Patch { thread_id, git }: Patch) -> Self {
        Self { thread_id, git_info: Some(git) }
    }
}

/// A field of a patch: a text sets it, `PatchField::Clear` clears it.
#[derive(Clone, Debug)]
pub struct Field(PatchField<String>);

impl From<&str> for Field {
    fn from(text: &str) -> Self {
        Self(PatchField::Set(text.to_owned()))
    }
}

impl From<PatchField<String>> for Field {
    fn from(field: PatchField<String>) -> Self {
        Self(field)
    }
}
