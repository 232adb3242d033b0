//! Holds every message that the server sends to our own schema and to the published ones.
//!
//! The published ones lie in the folder that `SKEIN_SCHEMAS` names, or beside the checkout; without them only ours
//! counts. A schema is read and compiled when the first message of its kind comes, once a process.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::{env, fs};

use jsonschema::Validator;
use protocol::{Method, MethodVisitor, write_json_schema};
use schemars::JsonSchema;
use serde_json::Value;

/// The releases whose clients must be able to read what we send, with everything that they call experimental.
const RELEASES: [&str; 2] = ["0.120.0x", "0.169.0x"];

/// Notifications that only the newer release knows: they follow calls that only its clients make, as the crate
/// `protocol` says where it lists them.
const NEWER_NOTIFICATIONS: [&str; 6] = [
    "thread/deleted",
    "thread/reverted",
    "thread/section/changed",
    "thread/attachment/updated",
    "thread/goal/updated",
    "thread/goal/cleared",
];

/// Returns what is wrong with the result of a method.
pub(crate) fn faults_of_result(method: &str, result: &Value) -> Vec<String> {
    let Some(name) = response_types().get(method) else { return Vec::new() };
    faults(name, result)
}

/// Returns what is wrong with an error answer, the whole of it.
pub(crate) fn faults_of_error(message: &Value) -> Vec<String> {
    faults("JSONRPCError", message)
}

/// Returns what is wrong with a notification.
pub(crate) fn faults_of_notification(method: &str, params: &Value) -> Vec<String> {
    faults_in_list("ServerNotification", method, params)
}

/// Returns what is wrong with a question to the client.
pub(crate) fn faults_of_question(method: &str, params: &Value) -> Vec<String> {
    faults_in_list("ServerRequest", method, params)
}

fn faults_in_list(list: &str, method: &str, params: &Value) -> Vec<String> {
    let Some(name) = params_types().get(method) else {
        return vec![format!("is not in {list}")];
    };
    let unknown = releases().iter().filter(|release| {
        let newer = release.name.starts_with("0.120") && NEWER_NOTIFICATIONS.contains(&method);
        !newer && !release.knows(list, method)
    });
    let mut found: Vec<_> = unknown.map(|release| format!("is unknown to {}", release.name)).collect();
    found.extend(faults(name, params));
    found
}

fn faults(type_name: &str, instance: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for release in releases() {
        let Some(validator) = release.validator(type_name) else { continue };
        for error in validator.iter_errors(instance) {
            found.push(format!("under {}: {} at {}", release.name, error, error.instance_path()));
        }
    }
    found
}

/// The schemas of one release.
struct Release {
    name: String,
    place: Place,
    validators: Mutex<HashMap<String, Option<Arc<Validator>>>>,
}

enum Place {
    Folder(PathBuf),
    /// The text of each document, by its name.
    Memory(HashMap<String, String>),
}

/// Ours, then the published ones.
fn releases() -> &'static [Release] {
    static LOADED: OnceLock<Vec<Release>> = OnceLock::new();
    LOADED.get_or_init(|| {
        let folder = published_folder();
        let published = RELEASES.into_iter().filter(|name| folder.join(name).is_dir());
        let published = published.map(|name| Release::new(name.to_owned(), Place::Folder(folder.join(name))));
        [Release::new("Skein".to_owned(), ours())].into_iter().chain(published).collect()
    })
}

fn published_folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/protocol");
    env::var_os("SKEIN_SCHEMAS").map_or_else(beside, PathBuf::from)
}

fn ours() -> Place {
    let folder = tempfile::tempdir().unwrap();
    write_json_schema(folder.path(), /*experimental*/ true).unwrap();
    let mut documents = HashMap::new();
    for inner in ["", "v1", "v2"] {
        for entry in fs::read_dir(folder.path().join(inner)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                documents.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    Place::Memory(documents)
}

impl Release {
    fn new(name: String, place: Place) -> Self {
        Self { name, place, validators: Mutex::default() }
    }

    /// Returns the text of a document; `None` where the release has no such message.
    fn document(&self, name: &str) -> Option<String> {
        match &self.place {
            Place::Memory(documents) => documents.get(name).cloned(),
            Place::Folder(folder) => {
                let file = format!("{name}.json");
                let mut places = ["v2", "v1", ""].into_iter().map(|inner| folder.join(inner).join(&file));
                places.find_map(|path| fs::read_to_string(path).ok())
            }
        }
    }

    fn validator(&self, name: &str) -> Option<Arc<Validator>> {
        let mut validators = self.validators.lock().unwrap();
        let compile = || {
            let document: Value = serde_json::from_str(&self.document(name)?).unwrap();
            Some(Arc::new(jsonschema::draft7::new(&document).unwrap()))
        };
        validators.entry(name.to_owned()).or_insert_with(compile).clone()
    }

    fn knows(&self, list: &str, method: &str) -> bool {
        // A look at the text alone: reading the whole document for its list of names takes longer than a test.
        self.document(list).is_some_and(|text| text.contains(&format!("\"{method}\"")))
    }
}

/// The name of the response type of each method.
fn response_types() -> &'static HashMap<&'static str, String> {
    struct Names(HashMap<&'static str, String>);
    impl MethodVisitor for Names {
        fn visit<M: Method>(&mut self) {
            self.0.insert(M::NAME, M::Response::schema_name().into_owned());
        }
    }
    static NAMES: OnceLock<HashMap<&'static str, String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = Names(HashMap::new());
        protocol::visit_methods(&mut names);
        names.0
    })
}

/// The name of the params type of each notification and each question.
fn params_types() -> &'static HashMap<String, String> {
    static NAMES: OnceLock<HashMap<String, String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let branches = |list: &str| {
            let document: Value = serde_json::from_str(&releases()[0].document(list).unwrap()).unwrap();
            document["oneOf"].as_array().unwrap().clone()
        };
        let all = ["ServerNotification", "ServerRequest"].into_iter().flat_map(branches);
        let named = all.map(|branch| {
            let (method, params) = (&branch["properties"]["method"], &branch["properties"]["params"]);
            let name = params["$ref"].as_str().and_then(|name| name.rsplit('/').next()).unwrap();
            (method["enum"][0].as_str().unwrap().to_owned(), name.to_owned())
        });
        named.collect()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_that_does_not_fit_is_named_with_its_place() {
        let fits = json!({ "data": ["a"], "nextCursor": null });
        assert!(faults_of_result("thread/loaded/list", &fits).is_empty());
        let faults = faults_of_result("thread/loaded/list", &json!({ "data": [5], "nextCursor": null }));
        assert!(faults.iter().all(|fault| fault.ends_with("at /data/0")) && !faults.is_empty(), "{faults:?}");
        let faults = faults_of_notification("thread/closed", &json!({}));
        assert!(faults[0].contains("threadId"), "{faults:?}");
        assert!(!faults_of_notification("thread/invented", &json!({})).is_empty());
        let faults = faults_of_question("item/fileChange/requestApproval", &json!({ "threadId": "t" }));
        assert!(faults.iter().any(|fault| fault.contains("itemId")), "{faults:?}");
        assert!(!faults_of_question("item/invented", &json!({})).is_empty());
        assert!(!faults_of_question("thread/closed", &json!({ "threadId": "t" })).is_empty());
        assert!(!faults_of_error(&json!({ "id": 1, "error": { "code": "x", "message": "m" } })).is_empty());
    }

    #[test]
    fn the_published_releases_are_looked_at_where_they_are() {
        let there = RELEASES.into_iter().filter(|name| published_folder().join(name).is_dir()).count();
        assert_eq!(releases().len(), 1 + there);
    }
}
