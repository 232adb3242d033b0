//! What a command of a shell means: its words, what it reads or lists, whether it is harmless, which rules speak of it.
//!
//! Three to know: [`plain_commands`] reads the commands of a script that leaves no doubt, [`command_actions`] tells people
//! what they do, [`Rules`] says what the person decided about them. [`harmless`] and [`dangerous`] judge where no rule
//! does.
//!
//! Invariant: what is unclear is not harmless, not allowed, and unknown. Pure but for [`Rules::load`] and [`append`],
//! which read and write the files of rules.
//! Not here: running commands, and asking the person.

mod actions;
mod dangerous;
mod harmless;
mod heredoc;
mod nested;
mod rules;
mod words;

pub use actions::{Action, command_actions};
pub use dangerous::dangerous;
pub use harmless::harmless;
pub use heredoc::{ApplyPatch, apply_patch_call};
pub use rules::{RuleError, Rules, Verdict, append, proposed_amendment};
pub use words::{plain_commands, script};
