//! One message, taken apart.
//!
//! The params and the result stay raw JSON, so that reading an envelope costs one pass over the text and nesting of
//! any depth is skipped without recursion. Whoever knows their type decodes them.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{RequestId, RpcError};

/// How a request ended: with a result, which may be `null`, or with an error.
pub type Outcome = Result<Box<RawValue>, RpcError>;

/// A message from the other side.
#[derive(Clone, Debug)]
pub enum Message<'a> {
    /// Wants exactly one answer.
    Request {
        /// To be echoed.
        id: RequestId,
        /// What is asked for.
        method: Cow<'a, str>,
        /// `null` counts as absent.
        params: Option<&'a RawValue>,
    },
    /// Wants no answer.
    Notification {
        /// What is told.
        method: Cow<'a, str>,
        /// `null` counts as absent.
        params: Option<&'a RawValue>,
    },
    /// Answers a request of ours.
    Response {
        /// The id that we gave.
        id: RequestId,
        /// What the other side made of it.
        outcome: Outcome,
    },
}

impl<'a> Message<'a> {
    /// Reads one line; `None` is what is no message of this protocol, and is to be ignored.
    ///
    /// A batch is none, nor is a message with a member of the envelope repeated. Unknown members are skipped.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(line).ok()?;
        // A derived struct also reads itself from an array, which here would make a batch a message.
        if !text.trim_start().starts_with('{') {
            return None;
        }
        let Envelope { id, method, params, result, error } = serde_json::from_str(text).ok()?;
        match (method, id) {
            (Some(Text(method)), Some(id)) => Some(Self::Request { id, method, params: present(params) }),
            (Some(Text(method)), None) => Some(Self::Notification { method, params: present(params) }),
            (None, Some(id)) => Some(Self::Response { id, outcome: outcome(result, error)? }),
            (None, None) => None,
        }
    }

    /// Finds the id of a request in the beginning of its line, so that one too long to be read can be refused.
    ///
    /// Only an id and a method that both stand before the cut count.
    pub fn request_id_in(head: &[u8]) -> Option<RequestId> {
        let mut found = Head::default();
        // The text ends in the middle, so this always fails; what was seen until then is what we are after.
        let _ = serde_json::Deserializer::from_slice(head).deserialize_map(&mut found);
        found.id.filter(|_| found.is_call)
    }
}

fn present(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get() != "null")
}

/// Some clients send both members, one of them null; an error that is one outweighs a result.
fn outcome(result: Option<&RawValue>, error: Option<&RawValue>) -> Option<Outcome> {
    match (present(error), result) {
        (Some(error), _) => Some(Err(serde_json::from_str(error.get()).unwrap_or_else(|_| unfit(error)))),
        (None, Some(result)) => Some(Ok(result.to_owned())),
        (None, None) => None,
    }
}

/// An error without a code or a text still ends the request: nobody would answer it a second time.
fn unfit(error: &RawValue) -> RpcError {
    RpcError::internal(format!("malformed error: {:.200}", error.get()))
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default, deserialize_with = "given")]
    id: Option<RequestId>,
    #[serde(borrow, default, deserialize_with = "given")]
    method: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "given")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    error: Option<&'a RawValue>,
}

/// A string that borrows from the line unless it has escapes: serde borrows a `Cow` only where it is not in an `Option`.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Keeps a `null` apart from an absent member: it is a result, and it is no id.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[derive(Default)]
struct Head {
    id: Option<RequestId>,
    is_call: bool,
}

impl<'de> Visitor<'de> for &mut Head {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            if key == "id" {
                self.id = Some(map.next_value()?);
                continue;
            }
            self.is_call |= key == "method";
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    /// What a line is, in a form that a table can hold.
    fn read(line: impl AsRef<[u8]>) -> String {
        let text = |raw: Option<&RawValue>| raw.map_or("-".to_owned(), |raw| raw.get().to_owned());
        match Message::parse(line.as_ref()) {
            None => "none".to_owned(),
            Some(Message::Request { id, method, params }) => {
                format!("request {} {method} {}", serde_json::to_string(&id).unwrap(), text(params))
            }
            Some(Message::Notification { method, params }) => format!("note {method} {}", text(params)),
            Some(Message::Response { id, outcome: Ok(result) }) => format!("result {id} {}", result.get()),
            Some(Message::Response { id, outcome: Err(error) }) => format!("error {id} {error}"),
        }
    }

    #[test]
    fn messages_are_told_apart() {
        for (line, expected) in [
            (r#"{"id":1,"method":"a/b","params":{"x":[1, 2]}}"#, r#"request 1 a/b {"x":[1, 2]}"#),
            (r#"{"jsonrpc":"2.0","method":"a","id":"7","trace":{}}"#, r#"request "7" a -"#),
            (r#"{"id":"","method":"a","params":null}"#, r#"request "" a -"#),
            (r#"{"id":"\u0000\u2603","method":"a"}"#, "request \"\\u0000\u{2603}\" a -"),
            (r#"{"id":-9223372036854775808,"method":"\u0061"}"#, "request -9223372036854775808 a -"),
            (r#"{"id":9223372036854775807,"method":"a"}"#, "request 9223372036854775807 a -"),
            (" \t{\"id\":1,\"method\":\"a\"}\r", "request 1 a -"),
            (r#"{"id":1,"method":"a","result":{}}"#, "request 1 a -"),
            (r#"{"method":"initialized"}"#, "note initialized -"),
            (r#"{"method":"initialized","params":{}}"#, "note initialized {}"),
            (r#"{"id":0,"result":null}"#, "result 0 null"),
            (r#"{"id":0,"result":{"a":1},"error":null}"#, r#"result 0 {"a":1}"#),
            (r#"{"id":"q","error":{"code":-1,"message":"no"}}"#, "error q no (-1)"),
            (r#"{"id":0,"result":null,"error":{"code":-1,"message":"no"}}"#, "error 0 no (-1)"),
            (r#"{"id":0,"error":"no"}"#, r#"error 0 malformed error: "no" (-32603)"#),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_message_is_none() {
        for line in [
            "",
            " ",
            "not json",
            "42",
            "null",
            "{}",
            "[]",
            r#"{"id":8,"method":"#,
            r#"{"id":8}"#,
            r#"{"id":8,"method":5}"#,
            r#"{"id":null,"method":"a"}"#,
            r#"{"id":1.5,"method":"a"}"#,
            r#"{"id":1.0,"method":"a"}"#,
            r#"{"id":true,"method":"a"}"#,
            r#"{"id":{},"method":"a"}"#,
            r#"{"id":9223372036854775808,"method":"a"}"#,
            r#"{"id":18446744073709551615,"method":"a"}"#,
            r#"{"id":-9223372036854775809,"method":"a"}"#,
            r#"{"id":1,"id":2,"method":"a"}"#,
            r#"{"id":1,"method":"a","params":{},"params":{}}"#,
            r#"[{"id":8,"method":"a"}]"#,
            r#"[8,"a"]"#,
            r#"{"id":8,"method":"a"}{"id":9,"method":"a"}"#,
            r#"{"id":8,"method":"a"} x"#,
            "\u{feff}{\"id\":8,\"method\":\"a\"}",
            r#"{"id":8,"method":"a","params":}"#,
        ] {
            assert_eq!(read(line), "none", "{line}");
        }
        assert_eq!(read(b"{\"id\":8,\"method\":\"a\",\"params\":\"\xff\"}"), "none");
        assert_eq!(read(b"{\"id\":8,\"method\":\"a\",\"x\":\"\xff\"}"), "none");
    }

    #[test]
    fn nesting_does_not_use_up_the_stack() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        for (member, expected) in [
            ("params", "request"),
            ("trace", "request"),
            ("result", "request"),
            ("id", "none"),
            ("method", "none"),
        ] {
            let line = match member {
                "id" => format!(r#"{{"method":"a","id":{deep}}}"#),
                "method" => format!(r#"{{"id":1,"method":{deep}}}"#),
                _ => format!(r#"{{"id":1,"method":"a","{member}":{deep}}}"#),
            };
            assert!(read(line).starts_with(expected), "{member}");
        }
        assert!(read(format!(r#"{{"id":1,"error":{deep}}}"#)).starts_with("error 1 malformed error: [[["));
    }

    #[test]
    fn a_request_too_long_to_read_is_known_by_its_beginning() {
        for (head, expected) in [
            (r#"{"id":3,"method":"fs/writeFile","params":{"data":"AAAA"#, Some(RequestId::Integer(3))),
            (r#" {"jsonrpc":"2.0","method":"a","id":"x","params":[{"#, Some("x".into())),
            (r#"{"method":"a","params":{"data":"AAAA"#, None),
            (r#"{"id":3,"result":"AAAA"#, None),
            (r#"{"id":3,"method":"AAAA"#, Some(RequestId::Integer(3))),
            (r#"{"id":1.5,"method":"a","params":"AAAA"#, None),
            (r#"{"params":{"id":3,"method":"a"#, None),
            ("AAAA", None),
            ("", None),
        ] {
            assert_eq!(Message::request_id_in(head.as_bytes()), expected, "{head}");
        }
    }
}
