//! Our schemas against those that the published releases print: every message that we send is valid under both.
//!
//! The published ones lie in the folder that `SKEIN_SCHEMAS` names, or beside the checkout; without them there is
//! nothing to compare, and these tests pass.

// All of this is test code: where it cannot go on, the test has failed.
#![allow(clippy::unwrap_used)]

mod samples;
mod subset;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use protocol::{
    KNOWN_METHODS, Method, MethodVisitor, ParamsRule, ServerMethod, ServerMethodVisitor, ServerNotification,
    decode_answer, decode_params, visit_methods, visit_server_methods, write_json_schema,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use crate::samples::samples;
use crate::subset::faults;

/// Notifications that only the newer release knows; they follow calls that only its clients make.
const NEWER_NOTIFICATIONS: [&str; 6] = [
    "thread/deleted",
    "thread/reverted",
    "thread/section/changed",
    "thread/attachment/updated",
    "thread/goal/updated",
    "thread/goal/cleared",
];

/// Inputs of the newer release that are not built: sound, and files in a provider's store.
const MISSING_INPUTS: [&str; 4] = ["audio", "localAudio", "inputAudio", "fileId"];

/// The schemas of one release, by the name of the message.
struct Schemas {
    release: String,
    files: BTreeMap<String, Value>,
}

impl Schemas {
    fn load(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for inner in ["", "v1", "v2"] {
            for entry in fs::read_dir(folder.join(inner)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "json") {
                    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                    files.insert(name, serde_json::from_slice(&fs::read(&path).unwrap()).unwrap());
                }
            }
        }
        Self { release: folder.file_name().unwrap().to_str().unwrap().to_owned(), files }
    }

    fn ours() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_json_schema(folder.path(), /*experimental*/ true).unwrap();
        Self::load(folder.path())
    }

    /// The published ones: each release, stable and (with an `x`) experimental.
    fn published() -> Vec<Self> {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/protocol");
        let folder = env::var_os("SKEIN_SCHEMAS").map_or_else(beside, PathBuf::from);
        let releases = ["0.120.0", "0.120.0x", "0.169.0", "0.169.0x"].map(|release| folder.join(release));
        releases.iter().filter(|release| release.is_dir()).map(|release| Self::load(release)).collect()
    }

    /// Method and params type of each branch of a file that lists requests or notifications.
    fn branches(&self, file: &str) -> BTreeMap<String, Option<String>> {
        let branches = self.files[file]["oneOf"].as_array().unwrap();
        let branch = |branch: &Value| {
            let properties = &branch["properties"];
            let params =
                properties["params"]["$ref"].as_str().or(properties["params"]["anyOf"][0]["$ref"].as_str());
            let name = params.and_then(|params| params.rsplit('/').next()).map(str::to_owned);
            (properties["method"]["enum"][0].as_str().unwrap().to_owned(), name)
        };
        branches.iter().map(branch).collect()
    }

    fn validator(&self, name: &str) -> jsonschema::Validator {
        jsonschema::draft7::new(&self.files[name]).unwrap()
    }
}

/// Calls back with each type that the server sends: its name, and how our code rewrites a value of it.
struct Sent<F>(F);

impl<F: FnMut(String, &dyn Fn(&Value) -> Value)> MethodVisitor for Sent<F> {
    fn visit<M: Method>(&mut self) {
        (self.0)(M::Response::schema_name().into_owned(), &rewrite::<M::Response>);
    }
}

impl<F: FnMut(String, &dyn Fn(&Value) -> Value)> ServerMethodVisitor for Sent<F> {
    fn visit<M: ServerMethod>(&mut self) {
        (self.0)(M::Params::schema_name().into_owned(), &rewrite::<M::Params>);
    }
}

fn rewrite<T: Serialize + DeserializeOwned>(value: &Value) -> Value {
    let read: T = serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"));
    serde_json::to_value(read).unwrap()
}

fn each_sent(mut see: impl FnMut(String, &dyn Fn(&Value) -> Value)) {
    visit_methods(&mut Sent(&mut see));
    visit_server_methods(&mut Sent(&mut see));
    for (method, name) in Schemas::ours().branches("ServerNotification") {
        let rewrite = |params: &Value| {
            let message = rewrite::<ServerNotification>(&json!({ "method": method, "params": params }));
            assert_eq!(message["method"], method.as_str());
            message["params"].clone()
        };
        see(name.unwrap(), &rewrite);
    }
}

#[test]
fn what_is_valid_under_ours_is_valid_under_theirs() {
    let ours = Schemas::ours();
    for theirs in Schemas::published() {
        each_sent(|name, _| {
            let Some(published) = theirs.files.get(&name) else { return };
            let found = faults(&ours.files[&name], published);
            assert!(found.is_empty(), "{name} under {}:\n{}", theirs.release, found.join("\n"));
        });
    }
}

#[test]
fn what_our_code_writes_is_valid_under_ours_and_theirs() {
    let ours = Schemas::ours();
    let published = Schemas::published();
    each_sent(|name, rewrite| {
        let releases = published.iter().chain([&ours]).filter(|schemas| schemas.files.contains_key(&name));
        let validators: Vec<_> =
            releases.map(|schemas| (&schemas.release, schemas.validator(&name))).collect();
        for sample in samples(&ours.files[&name]) {
            let written = rewrite(&sample);
            for (release, validator) in &validators {
                let errors: Vec<_> = validator.iter_errors(&written).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{name} under {release}:\n{}\n{written:#}", errors.join("\n"));
            }
        }
    });
}

#[test]
fn a_notification_is_known_to_both_releases_or_follows_a_call_of_the_newer_one() {
    let ours = Schemas::ours().branches("ServerNotification");
    for theirs in Schemas::published() {
        let known = theirs.branches("ServerNotification");
        for (method, params) in &ours {
            let newer = theirs.release.starts_with("0.120") && NEWER_NOTIFICATIONS.contains(&method.as_str());
            assert_eq!(
                known.get(method),
                Some(params).filter(|_| !newer),
                "{method} under {}",
                theirs.release
            );
        }
    }
}

#[test]
fn what_a_client_is_asked_is_known_to_both_releases() {
    let ours = Schemas::ours().branches("ServerRequest");
    for theirs in Schemas::published() {
        let known = theirs.branches("ServerRequest");
        for (method, params) in &ours {
            assert_eq!(known.get(method), Some(params), "{method} under {}", theirs.release);
        }
    }
}

#[test]
fn what_a_client_of_either_release_may_answer_is_understood() {
    struct Understands<'a>(&'a [Schemas]);
    impl ServerMethodVisitor for Understands<'_> {
        fn visit<M: ServerMethod>(&mut self) {
            for theirs in self.0 {
                for sample in samples(&theirs.files[&*M::Response::schema_name()]) {
                    if is_missing(&sample) {
                        continue;
                    }
                    let read = decode_answer::<M>(&to_raw_value(&sample).unwrap());
                    assert!(
                        read.is_ok(),
                        "{} of {}: {}\n{sample}",
                        M::NAME,
                        theirs.release,
                        read.err().unwrap()
                    );
                }
            }
        }
    }
    visit_server_methods(&mut Understands(&Schemas::published()));
}

fn is_missing(sample: &Value) -> bool {
    let text = sample.to_string();
    MISSING_INPUTS.iter().any(|word| text.contains(&format!("\"{word}\"")))
}

#[test]
fn what_a_client_of_either_release_may_send_is_understood() {
    struct Understands<'a>(&'a [Schemas]);
    impl MethodVisitor for Understands<'_> {
        fn visit<M: Method>(&mut self) {
            for theirs in self.0.iter().filter(|_| M::PARAMS == ParamsRule::Required) {
                let Some(Some(name)) = theirs.branches("ClientRequest").remove(M::NAME) else { continue };
                for sample in samples(&theirs.files[&name]) {
                    if is_missing(&sample) {
                        continue;
                    }
                    let params = to_raw_value(&sample).unwrap();
                    let read = decode_params::<M>(Some(&params));
                    assert!(
                        read.is_ok(),
                        "{} of {}: {}\n{sample}",
                        M::NAME,
                        theirs.release,
                        read.err().unwrap()
                    );
                }
            }
        }
    }
    visit_methods(&mut Understands(&Schemas::published()));
}

#[test]
fn the_known_methods_and_what_is_experimental_are_those_of_the_releases() {
    let published = Schemas::published();
    let of = |suffix: &str| published.iter().find(|schemas| schemas.release == suffix);
    for (stable, all) in [("0.120.0", "0.120.0x"), ("0.169.0", "0.169.0x")] {
        let (Some(stable), Some(all)) = (of(stable), of(all)) else { continue };
        let (stable_methods, all_methods) = (stable.branches("ClientRequest"), all.branches("ClientRequest"));
        for (name, params) in &all_methods {
            let known = KNOWN_METHODS.iter().find(|method| method.name == name);
            let known = known.unwrap_or_else(|| panic!("{name} of {} is not known", all.release));
            assert_eq!(known.experimental, !stable_methods.contains_key(name), "{name} of {}", all.release);
            let Some(params) = params.as_ref().filter(|_| !known.experimental) else { continue };
            let fields = |schemas: &Schemas| -> BTreeSet<String> {
                let params = &schemas.files["ClientRequest"]["definitions"][params]["properties"];
                params.as_object().into_iter().flat_map(|fields| fields.keys().cloned()).collect()
            };
            for field in fields(all).difference(&fields(stable)) {
                let listed = known.experimental_fields.contains(&field.as_str());
                assert!(listed, "{name}.{field} of {} is experimental", all.release);
            }
        }
    }
}

#[test]
fn what_is_experimental_in_a_question_is_so_in_the_releases() {
    struct Compares<'a>(&'a [Schemas]);
    impl ServerMethodVisitor for Compares<'_> {
        fn visit<M: ServerMethod>(&mut self) {
            let name = M::Params::schema_name();
            let fields = |schemas: &Schemas| -> BTreeSet<String> {
                let properties = schemas.files[&*name]["properties"].as_object().unwrap();
                properties.keys().cloned().collect()
            };
            for pair in self.0.chunks(2) {
                let [stable, all] = pair else { panic!("a release without its experimental half") };
                let hidden: Vec<_> = fields(all).difference(&fields(stable)).cloned().collect();
                assert_eq!(hidden, M::EXPERIMENTAL_FIELDS, "{} of {}", M::NAME, all.release);
            }
        }
    }
    visit_server_methods(&mut Compares(&Schemas::published()));
}
