//! The folders of schemas and declarations that the server prints, as a whole.

// All of this is test code: where it cannot go on, the test has failed.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use pretty_assertions::assert_eq;
use protocol::{write_json_schema, write_typescript};
use serde_json::Value;

/// Every file that a writer makes, by its path below the folder.
fn written(write: impl Fn(&Path, bool) -> io::Result<()>, experimental: bool) -> BTreeMap<PathBuf, String> {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("made/by/the/writer");
    write(&target, experimental).unwrap();
    let mut files = BTreeMap::new();
    let mut folders = vec![target.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(&target).unwrap().into(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(map) => {
            let target = map.get("$ref").and_then(Value::as_str);
            target.into_iter().chain(map.values().flat_map(references)).collect()
        }
        Value::Array(values) => values.iter().flat_map(references).collect(),
        _ => vec![],
    }
}

#[test]
fn every_schema_holds_what_it_refers_to() {
    for experimental in [false, true] {
        for (path, text) in written(write_json_schema, experimental) {
            let document: Value = serde_json::from_str(&text).unwrap();
            for target in references(&document) {
                assert!(document.pointer(&target[1..]).is_some(), "{target} of {}", path.display());
            }
            assert!(jsonschema::draft7::meta::is_valid(&document), "{}", path.display());
        }
    }
}

#[test]
fn every_declaration_imports_what_is_there() {
    for experimental in [false, true] {
        let files = written(write_typescript, experimental);
        for (path, text) in &files {
            for line in text.lines().filter(|line| line.contains(" from \"")) {
                let target = line.split('"').nth(1).unwrap();
                let mut file = path.parent().unwrap().to_path_buf();
                for part in target.split('/') {
                    match part {
                        "." => {}
                        ".." => assert!(file.pop()),
                        name => file.push(name),
                    }
                }
                let index = file.join("index.ts");
                assert!(
                    files.contains_key(&file.with_extension("ts")) || files.contains_key(&index),
                    "{line} in {path:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_experimental_is_told_only_when_asked_for() {
    let schema = Path::new("v2/ThreadStartParams.json");
    let declaration = Path::new("v2/ThreadStartParams.ts");
    for experimental in [false, true] {
        for text in [
            &written(write_json_schema, experimental)[schema],
            &written(write_typescript, experimental)[declaration],
        ] {
            let found = ["mockExperimentalField", "dynamicTools", "historyMode", "developerInstructions"]
                .map(|field| text.contains(field));
            assert_eq!(found, [experimental, experimental, experimental, true], "{text}");
        }
    }
}

#[test]
fn what_the_server_asks_lies_beside_the_folders_and_in_the_outer_part_of_the_bundle() {
    let schemas = written(write_json_schema, /*experimental*/ false);
    let declarations = written(write_typescript, /*experimental*/ false);
    let bundle: Value =
        serde_json::from_str(&schemas[Path::new("codex_app_server_protocol.schemas.json")]).unwrap();
    for name in ["CommandExecutionRequestApprovalParams", "DynamicToolCallResponse"] {
        assert!(schemas.contains_key(Path::new(&format!("{name}.json"))), "{name}");
        assert!(declarations.contains_key(Path::new(&format!("v2/{name}.ts"))), "{name}");
        assert!(bundle["definitions"].get(name).is_some(), "{name}");
    }
    let of_both = "CommandAction";
    assert!(
        bundle["definitions"]["v2"].get(of_both).is_some() && bundle["definitions"].get(of_both).is_none()
    );
    let requests = &declarations[Path::new("ServerRequest.ts")];
    assert!(
        requests.contains(r#"{ "method": "item/tool/call", id: RequestId, params: DynamicToolCallParams, }"#)
    );
    let hidden = "availableDecisions";
    assert!(!schemas[Path::new("CommandExecutionRequestApprovalParams.json")].contains(hidden));
    assert!(!declarations[Path::new("v2/CommandExecutionRequestApprovalParams.ts")].contains(hidden));
}
