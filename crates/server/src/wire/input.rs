//! What a client says in a turn.

use agent::Input;
use jsonrpc::RpcError;
use protocol::UserInput;
use serde_json::{Value, json};

/// The longest input of a turn, in characters over all of its texts; the published server's limit.
const MAX_CHARS: usize = 1 << 20;

/// Reads the inputs of a turn, if they are not too long.
pub(crate) fn inputs(inputs: Vec<UserInput>) -> Result<Vec<Input>, RpcError> {
    let inputs: Vec<_> = inputs.into_iter().map(input).collect();
    let actual = agent::text_chars(&inputs);
    if actual > MAX_CHARS {
        let message = format!("Input exceeds the maximum length of {MAX_CHARS} characters.");
        let data =
            json!({ "input_error_code": "input_too_large", "max_chars": MAX_CHARS, "actual_chars": actual });
        return Err(RpcError::invalid_params(message).with_data(data));
    }
    Ok(inputs)
}

fn input(input: UserInput) -> Input {
    let detail = |detail| serde_json::to_value(detail).ok().filter(|value| !value.is_null());
    match input {
        UserInput::Text { text, text_elements } => {
            let text_elements = text_elements.iter().map(|element| json!(element)).collect::<Vec<Value>>();
            Input::Text { text, text_elements }
        }
        UserInput::Image { url, detail: fine } => Input::Image { url, detail: detail(fine) },
        UserInput::LocalImage { path, detail: fine } => Input::LocalImage { path, detail: detail(fine) },
        UserInput::Skill { name, path } => Input::Skill { name, path },
        UserInput::Mention { name, path } => Input::Mention { name, path },
    }
}
