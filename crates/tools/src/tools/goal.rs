//! `get_goal`, `create_goal` and `update_goal`: the model sees what it works towards, and says when it is done.

use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    context::Context,
    goal::{Goal, GoalEnd, GoalStep},
    tool::{Call, Output, Stopped, Tool, function},
};

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GoalTool {
    Get,
    Create,
    Update,
}

#[derive(Deserialize)]
struct Create {
    objective: String,
    token_budget: Option<i64>,
}

#[derive(Deserialize)]
struct Update {
    status: GoalEnd,
}

impl GoalTool {
    fn read(self, call: &Call) -> Result<GoalStep, Output> {
        Ok(match self {
            Self::Get => GoalStep::Read,
            Self::Create => {
                let Create { objective, token_budget } = call.arguments()?;
                GoalStep::Create { objective, token_budget }
            }
            Self::Update => GoalStep::End(call.arguments::<Update>()?.status),
        })
    }
}

impl Tool for GoalTool {
    fn spec(&self) -> Option<Value> {
        Some(match self {
            Self::Get => function(
                "get_goal",
                "Tells the goal of this thread, how it stands, and what was used for it so far.",
                json!({}),
                &[],
            ),
            Self::Create => function(
                "create_goal",
                "Gives this thread a goal, on which it then works over as many turns as that takes. Only when the person \
                 or the instructions ask for a goal; an ordinary request is none. Fails while there is a goal that is \
                 not complete.",
                json!({
                    "objective": { "type": "string", "description": "What is to be reached, so that one can check it." },
                    "token_budget": {
                        "type": "integer",
                        "description": "How many tokens may be used; only where the person names a number.",
                    },
                }),
                &["objective"],
            ),
            Self::Update => function(
                "update_goal",
                "Ends the work on the goal of this thread. `complete`: all of it is reached, and you have checked that; \
                 a budget that runs out or a good place to stop is no reason. `blocked`: the same thing has kept you \
                 from it again and again, and only the person can change that.",
                json!({ "status": { "type": "string", "enum": ["complete", "blocked"] } }),
                &["status"],
            ),
        })
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            let step = match self.read(call) {
                Ok(step) => step,
                Err(told) => return Ok(told),
            };
            let is_reached = step == GoalStep::End(GoalEnd::Complete);
            Ok(match cx.host.goal(step).await {
                Ok(goal) => answer(goal.as_ref(), is_reached).to_string().into(),
                Err(told) => told.into(),
            })
        }
        .boxed()
    }
}

/// What the model is told, in the form that it knows from published servers.
fn answer(goal: Option<&Goal>, is_reached: bool) -> Value {
    let left = |goal: &Goal| Some((goal.token_budget? - goal.tokens_used).max(0));
    json!({
        "goal": goal,
        "remainingTokens": goal.and_then(left),
        "completionBudgetReport": goal.filter(|_| is_reached).and_then(report),
    })
}

/// What the person is to hear of a goal that took something.
fn report(goal: &Goal) -> Option<String> {
    let tokens = goal.token_budget.map(|budget| format!("{} of {budget} tokens", goal.tokens_used));
    let time = (goal.time_used_seconds > 0).then(|| format!("{} seconds", goal.time_used_seconds));
    let used: Vec<_> = tokens.into_iter().chain(time).collect();
    (!used.is_empty()).then(|| format!("Tell the person what the goal took: {}.", used.join(", ")))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn goal(token_budget: Option<i64>, time_used_seconds: i64) -> Goal {
        Goal {
            thread_id: "t".to_owned(),
            objective: "ship".to_owned(),
            status: "active",
            token_budget,
            tokens_used: 30,
            time_used_seconds,
            created_at: 1,
            updated_at: 2,
        }
    }

    #[test]
    fn an_answer_has_the_goal_what_is_left_and_at_its_end_what_it_took() {
        let told = |goal: Option<&Goal>, is_reached| {
            let answer = answer(goal, is_reached);
            (answer["remainingTokens"].as_i64(), answer["completionBudgetReport"].as_str().map(str::to_owned))
        };
        assert_eq!(
            answer(None, false),
            json!({ "goal": null, "remainingTokens": null, "completionBudgetReport": null })
        );
        assert_eq!(
            answer(Some(&goal(None, 0)), false)["goal"],
            json!({
                "threadId": "t",
                "objective": "ship",
                "status": "active",
                "tokenBudget": null,
                "tokensUsed": 30,
                "timeUsedSeconds": 0,
                "createdAt": 1,
                "updatedAt": 2,
            })
        );
        let took = |what: &str| Some(format!("Tell the person what the goal took: {what}."));
        for (goal, is_reached, left, report) in [
            (goal(Some(100), 5), false, Some(70), None),
            (goal(Some(20), 0), true, Some(0), took("30 of 20 tokens")),
            (goal(Some(100), 5), true, Some(70), took("30 of 100 tokens, 5 seconds")),
            (goal(None, 5), true, None, took("5 seconds")),
            (goal(None, 0), true, None, None),
        ] {
            assert_eq!(told(Some(&goal), is_reached), (left, report));
        }
    }

    #[test]
    fn what_is_no_end_of_a_goal_is_told_to_the_model() {
        let call = |input: &str| Call {
            id: "c".to_owned(),
            name: "update_goal".to_owned(),
            custom: false,
            namespace: None,
            input: input.to_owned(),
        };
        assert_eq!(
            GoalTool::Update.read(&call(r#"{"status":"complete"}"#)),
            Ok(GoalStep::End(GoalEnd::Complete))
        );
        for input in [r#"{"status":"paused"}"#, "{}"] {
            let Err(Output::Text(told)) = GoalTool::Update.read(&call(input)) else { panic!("{input}") };
            assert!(told.starts_with("failed to parse function arguments"), "{told}");
        }
    }
}
