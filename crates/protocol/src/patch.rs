//! A field that a client may leave alone, clear, or set.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a patch says about one field: absent, `null`, or a value on the wire.
///
/// A field of this type carries `#[serde(default, skip_serializing_if = "PatchField::is_keep")]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PatchField<T> {
    /// The field is absent: what is stored stays.
    #[default]
    Keep,
    /// The field is `null`: what is stored goes.
    Clear,
    /// The field has a value, which takes the place of what is stored.
    Set(T),
}

impl<T> PatchField<T> {
    /// Tells whether the field is absent.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Returns what is to be written, where anything is: `Some(None)` clears.
    pub fn as_change(&self) -> Option<Option<&T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

impl<T: Serialize> Serialize for PatchField<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.as_change().flatten().serialize(to)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PatchField<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(from)?.map_or(Self::Clear, Self::Set))
    }
}

impl<T: JsonSchema> JsonSchema for PatchField<T> {
    fn inline_schema() -> bool {
        Option::<T>::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        Option::<T>::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Patch {
        #[serde(default, skip_serializing_if = "PatchField::is_keep")]
        name: PatchField<String>,
    }

    #[test]
    fn absent_null_and_value_are_three_things_both_ways() {
        for (wire, name) in [
            ("{}", PatchField::Keep),
            (r#"{"name":null}"#, PatchField::Clear),
            (r#"{"name":"n"}"#, PatchField::Set("n".to_owned())),
        ] {
            let patch = Patch { name };
            assert_eq!(serde_json::from_str::<Patch>(wire).unwrap(), patch);
            assert_eq!(serde_json::to_string(&patch).unwrap(), wire);
        }
    }
}
