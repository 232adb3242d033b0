//! The goal of a thread, as the model deals with it.

use serde::{Deserialize, Serialize};

/// What the model wants of the goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoalStep {
    /// To see it.
    Read,
    /// To give the thread one.
    Create {
        /// What is to be reached.
        objective: String,
        /// How many tokens may be used for it.
        token_budget: Option<i64>,
    },
    /// To work on it no more.
    End(GoalEnd),
}

/// Why a goal is worked on no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoalEnd {
    /// It is reached.
    Complete,
    /// It cannot be worked on until something changes.
    Blocked,
}

/// A goal, in the words that models know from published servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Goal {
    /// The thread.
    pub thread_id: String,
    /// What is to be reached.
    pub objective: String,
    /// Whether it is worked on, and if not, why.
    pub status: &'static str,
    /// How many tokens may be used for it.
    pub token_budget: Option<i64>,
    /// How many were used.
    pub tokens_used: i64,
    /// For how many seconds turns worked on it.
    pub time_used_seconds: i64,
    /// When the thread was given the goal, in Unix seconds.
    pub created_at: i64,
    /// When it was last changed, in Unix seconds.
    pub updated_at: i64,
}

/// Tells whether a tool of this name is about the goal.
pub fn is_about_the_goal(tool: &str) -> bool {
    matches!(tool, "get_goal" | "create_goal" | "update_goal")
}
