//! `request_user_input`: the model asks the person to choose.

use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    context::{Context, NoAnswer},
    host::{Question, UserInputQuestion, WaitsOn},
    tool::{Call, Output, Stopped, Tool, function},
    turn::Mode,
};

/// Offered always, so that the tools of a thread do not change with its mode.
pub(crate) struct RequestUserInput {
    /// Whether it may be used outside of plan mode.
    pub(crate) in_every_mode: bool,
}

#[derive(Deserialize)]
struct Arguments {
    questions: Vec<Map<String, Value>>,
}

impl Tool for RequestUserInput {
    fn spec(&self) -> Option<Value> {
        let option = json!({
            "type": "object",
            "properties": {
                "label": { "type": "string", "description": "One to five words." },
                "description": { "type": "string", "description": "What follows from choosing it, in one sentence." },
            },
            "required": ["label", "description"],
            "additionalProperties": false,
        });
        let question = json!({
            "type": "object",
            "properties": {
                "id": { "type": "string", "description": "Names the answer, in snake_case." },
                "header": { "type": "string", "description": "A title of at most twelve characters." },
                "question": { "type": "string", "description": "One sentence." },
                "options": {
                    "type": "array",
                    "items": option,
                    "description": "Two or three that exclude each other, the one you advise first. The person can \
                                    always answer in their own words: give no option for that.",
                },
            },
            "required": ["id", "header", "question", "options"],
            "additionalProperties": false,
        });
        Some(function(
            "request_user_input",
            "Asks the person one to three short questions and waits for the answers. Only in plan mode.",
            json!({ "questions": { "type": "array", "items": question } }),
            &["questions"],
        ))
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            if cx.turn.mode != Mode::Plan && !self.in_every_mode {
                return Ok("request_user_input is unavailable in Default mode".into());
            }
            let Arguments { questions } = match call.arguments() {
                Ok(arguments) => arguments,
                Err(told) => return Ok(told),
            };
            if questions.is_empty() {
                return Ok("request_user_input needs at least one question".into());
            }
            let question = UserInputQuestion { item: call.id.clone(), questions };
            let ask = |reply| Question::UserInput(question, reply);
            Ok(match cx.ask_person(WaitsOn::UserInput, ask).await {
                Ok(answers) => answers.to_string().into(),
                Err(NoAnswer::Refused) => "the person did not answer".into(),
                Err(NoAnswer::Interrupted) => "aborted by the person".into(),
            })
        }
        .boxed()
    }
}
