//! One message, put together.

use serde::Serialize;

use crate::{RequestId, RpcError};

/// A whole message to the other side, encoded, with the line feed behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Vec<u8>);

#[derive(Serialize)]
struct Request<'a, P> {
    id: &'a RequestId,
    method: &'a str,
    params: P,
}

#[derive(Serialize)]
struct Notification<'a, P> {
    method: &'a str,
    params: P,
}

#[derive(Serialize)]
struct Response<'a, R> {
    id: &'a RequestId,
    result: R,
}

#[derive(Serialize)]
struct Refusal<'a> {
    id: &'a RequestId,
    error: &'a RpcError,
}

impl Frame {
    /// Answers a request. A result that cannot be encoded becomes an error, so that there is always one answer.
    pub fn answer<R: Serialize>(id: &RequestId, outcome: Result<R, RpcError>) -> Self {
        let refused = match outcome {
            Ok(result) => match Self::encode(&Response { id, result }) {
                Ok(frame) => return frame,
                Err(cause) => RpcError::internal(format!("cannot encode the result: {cause}")),
            },
            Err(error) => error,
        };
        // A string or an integer, and a JSON value: no map in it can have a key that is no string.
        Self::encode(&Refusal { id, error: &refused }).expect("plain JSON")
    }

    /// Asks the other side.
    pub fn request(id: &RequestId, method: &str, params: impl Serialize) -> Result<Self, serde_json::Error> {
        Self::encode(&Request { id, method, params })
    }

    /// Tells the other side.
    pub fn notification(method: &str, params: impl Serialize) -> Result<Self, serde_json::Error> {
        Self::encode(&Notification { method, params })
    }

    /// Encodes what brings its own `method` and `params`, such as an enum of notifications.
    pub fn encode(message: &impl Serialize) -> Result<Self, serde_json::Error> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        Ok(Self(line))
    }

    /// Returns the line, with its line feed.
    pub fn as_line(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_line(self) -> Vec<u8> {
        self.0
    }

    /// Returns what the frame takes up in memory.
    pub(crate) fn cost(&self) -> usize {
        self.0.capacity() + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    fn text(frame: Frame) -> String {
        String::from_utf8(frame.into_line()).unwrap()
    }

    #[test]
    fn a_frame_is_one_line_without_a_jsonrpc_member() {
        let id = RequestId::Integer(5);
        for (frame, expected) in [
            (Frame::answer(&id, Ok(json!({"a": "x\ny"}))), r#"{"id":5,"result":{"a":"x\ny"}}"#),
            (Frame::answer(&"s".into(), Ok(())), r#"{"id":"s","result":null}"#),
            (
                Frame::answer::<()>(&id, Err(RpcError::overloaded())),
                r#"{"id":5,"error":{"code":-32001,"message":"Server overloaded; retry later."}}"#,
            ),
            (
                Frame::answer::<()>(&id, Err(RpcError::invalid_params("m").with_data(json!([1])))),
                r#"{"id":5,"error":{"code":-32602,"message":"m","data":[1]}}"#,
            ),
            (Frame::request(&id, "m", json!({})).unwrap(), r#"{"id":5,"method":"m","params":{}}"#),
            (Frame::notification("m", json!({})).unwrap(), r#"{"method":"m","params":{}}"#),
        ] {
            assert_eq!(text(frame), format!("{expected}\n"));
        }
    }

    #[test]
    fn a_result_that_cannot_be_encoded_is_still_answered() {
        let frame = Frame::answer(&RequestId::Integer(5), Ok(HashMap::from([((1, 2), 3)])));
        assert_eq!(
            text(frame),
            concat!(
                r#"{"id":5,"error":{"code":-32603,"message":"cannot encode the result: key must be a string"}}"#,
                "\n"
            )
        );
    }
}
