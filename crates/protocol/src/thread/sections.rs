//! Sections: named shelves that a person sorts threads into, each with an order of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::PatchField;

/// One section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadSection {
    /// Stays the same when the section is renamed.
    pub id: String,
    pub name: String,
    pub appearance: Option<ThreadSectionAppearance>,
}

/// How clients show a section; what the words mean is theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadSectionAppearance {
    pub icon: Option<String>,
    pub color: Option<String>,
}

/// Asks for a page of the sections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadSectionListParams {
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

/// A page of sections: the built-in one, then the others as they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadSectionListResponse {
    pub data: Vec<ThreadSection>,
    /// Null on the last page.
    pub next_cursor: Option<String>,
}

/// Makes a section.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadSectionCreateParams {
    /// Need not be unique.
    pub name: String,
    pub appearance: Option<ThreadSectionAppearance>,
}

/// The new section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadSectionCreateResponse {
    pub section: ThreadSection,
}

/// Renames a section, and may change how it looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadSectionUpdateParams {
    pub section_id: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "PatchField::is_keep")]
    #[ts(as = "Option<ThreadSectionAppearance>")]
    pub appearance: PatchField<ThreadSectionAppearance>,
}

/// The section as it now is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadSectionUpdateResponse {
    pub section: ThreadSection,
}

/// Deletes a section; its threads are in none then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadSectionDeleteParams {
    pub section_id: String,
}

/// The section is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(export_to = "v2/")]
pub struct ThreadSectionDeleteResponse {}

/// Puts a thread into a section, elsewhere in its own, or out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadSectionMoveParams {
    pub thread_id: String,
    /// Null takes the thread out; to leave the field out is an error.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schemars(schema_with = "super::nullable_string")]
    #[ts(optional = false)]
    pub section_id: Option<String>,
    /// The thread of the section to stand before; without one the thread goes to the end.
    pub before_thread_id: Option<String>,
}

/// The thread is in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(export_to = "v2/")]
pub struct ThreadSectionMoveResponse {}

/// A thread was put into a section, elsewhere in its own, or out of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadSectionChangedNotification {
    pub thread_id: String,
    /// Null when the thread is in no section now.
    #[schemars(schema_with = "super::nullable_string")]
    pub section_id: Option<String>,
}
