//! What a shell command means: its words, what it reads or lists, whether it is harmless, which rules speak of it.
//!
//! Three types to know: an argv is what a model wants to run, mostly a shell with a script; [`Action`]s say what it does,
//! for clients to show; [`Rules`] say whether it may, by a [`Verdict`]. The path of one call: [`Rules::decide`] takes an
//! argv → every command in it is looked for (`nested.rs`) and held against the rules that forbid or ask → only where all
//! of them are plain words ([`plain_commands`]), they are held against those that allow, and against what is
//! [`harmless`].
//!
//! Two readers, because two mistakes: the strict one (`words.rs`) may call a clear script unclear, but never the other
//! way round, and everything that *allows* asks it. The tolerant one (`nested.rs`) sees more than there is rather than
//! less, and everything that *refuses* asks that.
//!
//! Invariants: no script takes longer than its length makes it, none can exhaust the stack, and of a doubt, somebody is
//! asked. Nothing is run, and but for the folder of rules, nothing is read or written.
//!
//! Not here: the approval policy, questions to clients, the sandbox that commands run in, and the patches that
//! [`apply_patch_call`] takes out of scripts.

mod actions;
mod dangerous;
mod error;
mod harmless;
mod nested;
mod patch_call;
mod rules;
mod words;

pub use actions::{Action, command_actions, quoted};
pub use dangerous::dangerous;
pub use error::RulesError;
pub use harmless::harmless;
pub use patch_call::{PatchCall, apply_patch_call};
pub use rules::{Rules, Verdict, amendment_line};
pub use words::{plain_commands, script};
