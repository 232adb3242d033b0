//! The JSON Schemas of the protocol, made from the wire types, in the layout of the published server.
//!
//! One file a message (`v1/` the handshake, `v2/` all else, the envelopes and what the server asks beside them), each with the definitions that
//! it needs, and two bundles of everything. Invariant: a file and the bundles say the same, since all are cut from
//! one set of definitions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::{
    Initialize, Method, MethodVisitor, ParamsRule, RequestId, ServerMethod, ServerMethodVisitor,
    ServerNotification, known_method, visit_methods, visit_server_methods,
};

const META_SCHEMA: &str = "http://json-schema.org/draft-07/schema#";
const REF: &str = "#/definitions/";

/// Writes the schemas into a folder, which is made when missing; without `experimental`, only what is stable.
pub fn write_json_schema(dir: &Path, experimental: bool) -> io::Result<()> {
    let schemas = Schemas::collect(experimental);
    for folder in ["v1", "v2"] {
        fs::create_dir_all(dir.join(folder))?;
    }
    for (name, folder) in &schemas.messages {
        write(&dir.join(folder).join(format!("{name}.json")), &document(&schemas.definitions, name))?;
    }
    write(&dir.join("codex_app_server_protocol.schemas.json"), &schemas.nested_bundle())?;
    write(&dir.join("codex_app_server_protocol.v2.schemas.json"), &schemas.flat_bundle())
}

/// Every definition, and which of them are messages of their own, with their folders.
struct Schemas {
    definitions: Map<String, Value>,
    messages: BTreeMap<String, &'static str>,
}

impl Schemas {
    fn collect(experimental: bool) -> Self {
        let generator = SchemaSettings::draft07()
            .with(|settings| settings.transforms.push(Box::new(RecursiveTransform(const_to_enum))))
            .into_generator();
        let mut methods = Methods {
            generator,
            experimental,
            messages: ROOT_MESSAGES.map(|name| (name.to_owned(), "")).into(),
            requests: vec![],
            questions: vec![],
            hidden: vec![],
        };
        visit_methods(&mut methods);
        visit_server_methods(&mut methods);
        let Methods { mut generator, mut messages, requests, questions, hidden, .. } = methods;
        name_of::<RequestId>(&mut generator);
        name_of::<ServerNotification>(&mut generator);

        let mut definitions = generator.take_definitions(/*apply_transforms*/ true);
        for (params, field) in hidden {
            if let Some(properties) = definitions[&params]["properties"].as_object_mut() {
                properties.remove(field);
            }
        }
        name_notifications(&mut definitions["ServerNotification"]);
        definitions.insert("ClientRequest".into(), json!({ "oneOf": requests }));
        definitions.insert("ServerRequest".into(), json!({ "oneOf": questions }));
        definitions.extend(envelopes());
        let notes = references(&definitions["ServerNotification"]);
        messages.extend(notes.into_iter().map(|name| (name, "v2")));

        let definitions = reachable(&definitions, messages.keys().cloned().collect());
        Self { definitions, messages }
    }

    /// Puts everything into one document, side by side.
    fn flat_bundle(&self) -> Value {
        bundle("CodexAppServerProtocolV2", self.definitions.clone())
    }

    /// Puts everything into one document, what `v2/` needs apart from the rest.
    fn nested_bundle(&self) -> Value {
        let in_v2 = |(name, folder): (&String, &&str)| (*folder == "v2").then(|| name.clone());
        let v2 = reachable(&self.definitions, self.messages.iter().filter_map(in_v2).collect());
        let is_inner = |name: &str| v2.contains_key(name) && !ROOT_MESSAGES.contains(&name);
        let mut outer = Map::new();
        let mut inner = Map::new();
        for (name, schema) in &self.definitions {
            let mut schema = schema.clone();
            nest_references(&mut schema, &is_inner);
            if is_inner(name) {
                inner.insert(name.clone(), schema)
            } else {
                outer.insert(name.clone(), schema)
            };
        }
        outer.insert("v2".into(), inner.into());
        bundle("CodexAppServerProtocol", outer)
    }
}

/// Gathers the schemas of the methods.
struct Methods {
    generator: SchemaGenerator,
    experimental: bool,
    messages: BTreeMap<String, &'static str>,
    requests: Vec<Value>,
    questions: Vec<Value>,
    /// Params type and field of what is experimental and was not asked for.
    hidden: Vec<(String, &'static str)>,
}

impl Methods {
    fn add_message<T: JsonSchema>(&mut self, folder: &'static str) -> String {
        let name = name_of::<T>(&mut self.generator);
        self.messages.insert(name.clone(), folder);
        name
    }

    fn hide(&mut self, params: &str, fields: &'static [&'static str]) {
        if !self.experimental {
            self.hidden.extend(fields.iter().map(|field| (params.to_owned(), *field)));
        }
    }
}

impl MethodVisitor for Methods {
    fn visit<M: Method>(&mut self) {
        let known = known_method(M::NAME);
        if known.is_some_and(|method| method.experimental) && !self.experimental {
            return;
        }
        // The handshake alone is of the first version of the protocol.
        let folder = if M::NAME == Initialize::NAME { "v1" } else { "v2" };
        let params = (M::PARAMS == ParamsRule::Required).then(|| {
            let params = self.add_message::<M::Params>(folder);
            self.hide(&params, known.map_or(&[], |method| method.experimental_fields));
            params
        });
        self.add_message::<M::Response>(folder);
        self.requests.push(request(M::NAME, params.as_deref()));
    }
}

impl ServerMethodVisitor for Methods {
    fn visit<M: ServerMethod>(&mut self) {
        let params = self.add_message::<M::Params>("");
        self.hide(&params, M::EXPERIMENTAL_FIELDS);
        self.add_message::<M::Response>("");
        self.questions.push(request(M::NAME, Some(&params)));
    }
}

/// Makes the branch of one method, with the titles by which generators of code call it.
fn request(method: &str, params: Option<&str>) -> Value {
    let title = capitalized(method);
    let mut required = vec!["id", "method"];
    required.extend(params.map(|_| "params"));
    json!({
        "title": format!("{title}Request"),
        "type": "object",
        "required": required,
        "properties": {
            "id": reference("RequestId"),
            "method": { "title": format!("{title}RequestMethod"), "type": "string", "enum": [method] },
            "params": params.map_or_else(|| json!({ "type": "null" }), reference),
        },
    })
}

/// Has the generator define a type, and returns the name it goes by.
fn name_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> String {
    generator.subschema_for::<T>();
    T::schema_name().into_owned()
}

/// Writes a fixed word the way that the published schemas do: as a choice of one.
fn const_to_enum(schema: &mut Schema) {
    if let Some(word) = schema.remove("const") {
        schema.insert("enum".into(), json!([word]));
    }
}

/// Gives the branches of the notifications the titles by which generators of code call them.
fn name_notifications(notifications: &mut Value) {
    for branch in notifications["oneOf"].as_array_mut().into_iter().flatten() {
        let Some(method) = branch["properties"]["method"]["enum"][0].as_str() else { continue };
        let title = format!("{}Notification", capitalized(method));
        branch["properties"]["method"]["title"] = format!("{title}Method").into();
        branch["title"] = title.into();
    }
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The messages that lie beside the folders.
const ROOT_MESSAGES: [&str; 11] = [
    "ClientNotification",
    "ClientRequest",
    "JSONRPCError",
    "JSONRPCErrorError",
    "JSONRPCMessage",
    "JSONRPCNotification",
    "JSONRPCRequest",
    "JSONRPCResponse",
    "RequestId",
    "ServerNotification",
    "ServerRequest",
];

/// The frames around messages. Their code is in the crate `jsonrpc`, which never decodes what it carries.
fn envelopes() -> Map<String, Value> {
    let id = || reference("RequestId");
    let frame = |what: &str, required: &[&str], properties: Value| json!({ "description": what, "type": "object", "required": required, "properties": properties });
    let messages = ["JSONRPCRequest", "JSONRPCNotification", "JSONRPCResponse", "JSONRPCError"];
    let frames = json!({
        "ClientNotification": { "oneOf": [{
            "title": "InitializedNotification",
            "type": "object",
            "required": ["method"],
            "properties": {
                "method": { "title": "InitializedNotificationMethod", "type": "string", "enum": ["initialized"] },
            },
        }] },
        "JSONRPCMessage": {
            "description": "Any message, of either side.",
            "anyOf": messages.map(reference),
        },
        "JSONRPCRequest": frame("Asks for an answer.", &["id", "method"], json!({
            "id": id(),
            "method": { "type": "string" },
            "params": true,
            "trace": { "anyOf": [reference("W3cTraceContext"), { "type": "null" }] },
        })),
        "JSONRPCNotification": frame("Asks for no answer.", &["method"], json!({
            "method": { "type": "string" },
            "params": true,
        })),
        "JSONRPCResponse": frame("Answers a request.", &["id", "result"], json!({ "id": id(), "result": true })),
        "JSONRPCError": frame("Refuses a request, or tells of its failure.", &["error", "id"], json!({
            "error": reference("JSONRPCErrorError"),
            "id": id(),
        })),
        "JSONRPCErrorError": frame("What went wrong.", &["code", "message"], json!({
            "code": { "type": "integer", "format": "int64" },
            "data": true,
            "message": { "type": "string" },
        })),
        "W3cTraceContext": {
            "type": "object",
            "properties": {
                "traceparent": { "type": ["string", "null"] },
                "tracestate": { "type": ["string", "null"] },
            },
        },
    });
    match frames {
        Value::Object(frames) => frames,
        _ => Map::new(),
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("{REF}{name}") })
}

/// Returns the names that a schema refers to directly.
fn references(schema: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = vec![schema];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(map) => {
                let name = map.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix(REF));
                names.extend(name.map(str::to_owned));
                rest.extend(map.values());
            }
            Value::Array(values) => rest.extend(values),
            _ => {}
        }
    }
    names
}

/// Returns the named definitions and all that they refer to.
fn reachable(definitions: &Map<String, Value>, mut names: Vec<String>) -> Map<String, Value> {
    let mut found = Map::new();
    while let Some(name) = names.pop() {
        if let Some(schema) = definitions.get(&name).filter(|_| !found.contains_key(&name)) {
            names.extend(references(schema));
            found.insert(name, schema.clone());
        }
    }
    found
}

/// Makes one definition a document that stands by itself.
fn document(definitions: &Map<String, Value>, name: &str) -> Value {
    let mut document = definitions[name].clone();
    let needed = reachable(definitions, references(&document).into_iter().collect());
    document["$schema"] = META_SCHEMA.into();
    document["title"] = name.into();
    if !needed.is_empty() {
        document["definitions"] = needed.into();
    }
    document
}

fn nest_references(schema: &mut Value, is_inner: &impl Fn(&str) -> bool) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get_mut("$ref") {
                let name = target.strip_prefix(REF).filter(|name| is_inner(name));
                if let Some(nested) = name.map(|name| format!("{REF}v2/{name}")) {
                    *target = nested;
                }
            }
            map.values_mut().for_each(|value| nest_references(value, is_inner));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| nest_references(value, is_inner)),
        _ => {}
    }
}

fn bundle(title: &str, definitions: Map<String, Value>) -> Value {
    json!({ "$schema": META_SCHEMA, "title": title, "type": "object", "definitions": definitions })
}

fn write(path: &Path, document: &Value) -> io::Result<()> {
    fs::write(path, format!("{document:#}\n"))
}
