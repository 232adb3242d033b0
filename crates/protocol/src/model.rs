//! Words about the model: how hard it thinks, how it sums up, how it speaks, how fast it is served.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ts_rs::TS;

/// Declares words of which the schema lists some and the code carries all but the empty one.
macro_rules! open_words {
    ($(#[$doc:meta])* $name:ident $told:literal { $($variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, JsonSchema, TS)]
        pub enum $name {
            $(#[schemars(rename = $word)] #[ts(rename = $word)] $variant,)*
            #[schemars(skip)]
            #[ts(skip)]
            Other(String),
        }

        impl $name {
            /// Returns the word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)*
                    _ => Self::Other(word),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                self.as_str().serialize(to)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let word = String::deserialize(from)?;
                if word.is_empty() {
                    return Err(D::Error::custom(concat!($told, " must not be empty")));
                }
                Ok(word.into())
            }
        }
    };
}

open_words! {
    /// How hard the model thinks.
    ///
    /// The schema lists the words that every client reads. Other words pass through, since a user's own model
    /// catalogue may name them.
    ReasoningEffort "reasoning_effort" {
        None = "none",
        Minimal = "minimal",
        Low = "low",
        Medium = "medium",
        High = "high",
        Xhigh = "xhigh",
    }
}

open_words! {
    /// How fast, and at what price, requests to the model are served.
    ///
    /// The schema lists the words that every client reads; a provider may know others, which are told only to clients
    /// of a thread for which one was asked.
    ServiceTier "service_tier" {
        Fast = "fast",
        Flex = "flex",
    }
}

/// How much of its thinking the model sums up for the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum ReasoningSummary {
    Auto,
    Concise,
    Detailed,
    None,
}

/// How the model speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum Personality {
    None,
    Friendly,
    Pragmatic,
}

/// How the person and the agent work together; outranks the model and the effort given beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CollaborationMode {
    pub mode: ModeKind,
    pub settings: Settings,
}

/// The kinds of working together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum ModeKind {
    Plan,
    Default,
}

/// What a collaboration mode sets; snake case on the wire, in both releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Settings {
    pub model: String,
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Null means the built-in instructions of the mode.
    pub developer_instructions: Option<String>,
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_word_that_we_do_not_list_comes_back_as_it_was() {
        for (word, read) in [
            ("xhigh", ReasoningEffort::Xhigh),
            ("none", ReasoningEffort::None),
            ("ultra", ReasoningEffort::Other("ultra".to_owned())),
        ] {
            let effort: ReasoningEffort = serde_json::from_value(json!(word)).unwrap();
            assert_eq!((serde_json::to_value(&effort).unwrap(), effort), (json!(word), read));
        }
    }
}
