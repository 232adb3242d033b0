//! `update_plan`: the model says what it is going to do, and how far it is.

use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    context::Context,
    host::{News, PlanStep, StepStatus},
    tool::{Call, Output, Stopped, Tool, function},
};

pub(crate) struct UpdatePlan;

#[derive(Deserialize)]
struct Arguments {
    explanation: Option<String>,
    plan: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    step: String,
    status: StepStatus,
}

impl Tool for UpdatePlan {
    fn spec(&self) -> Option<Value> {
        let step = json!({
            "type": "object",
            "properties": {
                "step": { "type": "string", "description": "What is to be done, in a few words." },
                "status": { "type": "string", "enum": ["pending", "in_progress", "completed"] },
            },
            "required": ["step", "status"],
            "additionalProperties": false,
        });
        Some(function(
            "update_plan",
            "Shows the person the steps of the work and how far they are. Call it again, with all steps, whenever \
             that changes; at most one step is in progress.",
            json!({
                "explanation": { "type": "string", "description": "Why the plan changed." },
                "plan": { "type": "array", "items": step },
            }),
            &["plan"],
        ))
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            let Arguments { explanation, plan } = match call.arguments() {
                Ok(arguments) => arguments,
                Err(told) => return Ok(told),
            };
            let steps = plan.into_iter().map(|Step { step, status }| PlanStep { step, status }).collect();
            cx.host.tell(News::Plan { explanation, steps }).await;
            Ok("Plan updated".into())
        }
        .boxed()
    }
}
