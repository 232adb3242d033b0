//! What comes out of layers and files.

use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{
    ApprovalPolicy, GranularApproval, OPENAI, Position, ProviderConfig, ReasoningSummary, SCRIPTED,
    SandboxMode, TextRange, Verbosity, WebSearch, WireApi, parse_override,
};

/// A home with a `config.toml`, and what is given beside it.
struct Case {
    home: TempDir,
    flags: Vec<&'static str>,
    profile: Option<&'static str>,
    thread: Json,
}

fn file(text: impl AsRef<[u8]>) -> Case {
    let case = Case { home: TempDir::new().unwrap(), flags: vec![], profile: None, thread: json!({}) };
    fs::write(case.home.path().join("config.toml"), text).unwrap();
    case
}

impl Case {
    fn loader(&self) -> Result<Loader, ConfigError> {
        let flags = self.flags.iter().map(|flag| parse_override(flag)).collect::<Result<Vec<_>, _>>()?;
        Loader::new(self.home.path().to_owned(), flags, self.profile.map(str::to_owned))
    }

    fn load(&self) -> Result<Config, ConfigError> {
        self.loader()?.load(self.thread.as_object().unwrap())
    }

    /// The text of the error, with `HOME` for the folder.
    fn error(&self) -> String {
        self.load().unwrap_err().to_string().replace(self.home.path().to_str().unwrap(), "HOME")
    }
}

#[test]
fn without_a_file_everything_is_as_built() {
    let home = TempDir::new().unwrap();
    let config = Loader::new(home.path().join("missing"), [], None).unwrap().load(&Map::new()).unwrap();
    assert_eq!((config.model.as_deref(), config.model_provider.as_str()), (None, OPENAI));
    assert_eq!(config.provider().unwrap().base_url.as_deref(), Some("https://api.openai.com/v1"));
    assert_eq!(
        (config.approval_policy, config.sandbox_mode),
        (ApprovalPolicy::OnRequest, SandboxMode::ReadOnly)
    );
    assert_eq!((config.idle_unload, config.project_doc_max_bytes), (Duration::from_secs(1800), 32768));
    assert_eq!((config.features.len(), config.unknown_keys.len()), (0, 0));
    assert_eq!(config.origin("model"), Layer::Default);
}

#[test]
fn every_setting_is_read() {
    let case = file(
        r#"
        model = "m"
        model_provider = "p"
        model_reasoning_effort = "from_the_future"
        model_reasoning_summary = "concise"
        model_verbosity = "low"
        model_context_window = 1000
        model_auto_compact_token_limit = 900
        model_instructions_file = "base.md"
        developer_instructions = "be brief"
        project_doc_max_bytes = 10
        project_doc_fallback_filenames = ["A.md"]
        web_search = "live"
        service_tier = "flex"
        approval_policy = "never"
        sandbox_mode = "workspace-write"
        [sandbox_workspace_write]
        writable_roots = ["/a", "b"]
        network_access = true
        exclude_tmpdir_env_var = true
        exclude_slash_tmp = true
        [features]
        unified_exec = false
        shell_tool = true
        multi_agent_v2 = { enabled = true, other = 1 }
        guardianv2 = { other = 1 }
        [skein]
        idle_unload_minutes = 2
        [model_providers.p]
        name = "P"
        base_url = "http://localhost/v1"
        wire_api = "chat"
        env_key = "KEY"
        env_key_instructions = "ask"
        experimental_bearer_token = "t"
        requires_openai_auth = true
        http_headers = { a = "1" }
        env_http_headers = { b = "B" }
        query_params = { c = "3" }
        request_max_retries = 1000
        stream_max_retries = 0
        stream_idle_timeout_ms = 7
        "#,
    );
    let home = case.home.path();
    fs::write(home.join("base.md"), "\n You are. \n").unwrap();
    let config = case.load().unwrap();
    assert_eq!(config.model.as_deref(), Some("m"));
    assert_eq!(config.model_reasoning_effort.as_deref(), Some("from_the_future"));
    assert_eq!(config.model_reasoning_summary, Some(ReasoningSummary::Concise));
    assert_eq!(config.model_verbosity, Some(Verbosity::Low));
    assert_eq!(config.model_context_window, Some(1000));
    assert_eq!(config.model_auto_compact_token_limit, Some(900));
    assert_eq!(config.base_instructions.as_deref(), Some("You are."));
    assert_eq!(config.developer_instructions.as_deref(), Some("be brief"));
    assert_eq!(config.project_doc_max_bytes, 10);
    assert_eq!(config.project_doc_fallback_filenames, ["A.md"]);
    assert_eq!(config.web_search, Some(WebSearch::Live));
    assert_eq!(config.service_tier.as_deref(), Some("flex"));
    assert_eq!(config.approval_policy, ApprovalPolicy::Never);
    assert_eq!(config.sandbox_mode, SandboxMode::WorkspaceWrite);
    assert_eq!(config.workspace_write.writable_roots, [PathBuf::from("/a"), home.join("b")]);
    assert!(config.workspace_write.network_access);
    assert!(config.workspace_write.exclude_tmpdir_env_var);
    assert!(config.workspace_write.exclude_slash_tmp);
    let on: Vec<_> = config.features.iter().map(|(name, on)| (name.as_str(), *on)).collect();
    assert_eq!(on, [("multi_agent_v2", true), ("shell_tool", true), ("unified_exec", false)]);
    assert_eq!(config.idle_unload, Duration::from_secs(120));
    let provider = ProviderConfig {
        name: "P".into(),
        base_url: Some("http://localhost/v1".into()),
        wire_api: WireApi::Chat,
        env_key: Some("KEY".into()),
        env_key_instructions: Some("ask".into()),
        experimental_bearer_token: Some("t".into()),
        requires_openai_auth: true,
        http_headers: [("a".into(), "1".into())].into(),
        env_http_headers: [("b".into(), "B".into())].into(),
        query_params: [("c".into(), "3".into())].into(),
        request_max_retries: 100,
        stream_max_retries: 0,
        stream_idle_timeout: Duration::from_millis(7),
        ..ProviderConfig::new("p")
    };
    assert_eq!(config.provider(), Some(&provider));
    assert_eq!(config.providers.keys().collect::<Vec<_>>(), [OPENAI, "p", SCRIPTED]);
    assert_eq!(config.unknown_keys, []);
}

#[test]
fn approval_may_be_granular() {
    let case = file(
        "approval_policy = { granular = { sandbox_approval = true, rules = false, mcp_elicitations = true } }",
    );
    let granular = GranularApproval {
        sandbox_approval: true,
        rules: false,
        skill_approval: false,
        request_permissions: false,
        mcp_elicitations: true,
    };
    let policy = case.load().unwrap().approval_policy;
    assert_eq!(policy, ApprovalPolicy::Granular(granular));
    assert_eq!(
        serde_json::to_value(policy).unwrap(),
        json!({ "granular": {
            "sandbox_approval": true, "rules": false, "skill_approval": false, "request_permissions": false,
            "mcp_elicitations": true,
        }})
    );
}

#[test]
fn the_strongest_layer_that_sets_a_value_wins() {
    const ALL: &str = "model = 'user'\nprofile = 'p'\nprofiles.p.model = 'profile'";
    for (text, flags, thread, expected, origin) in [
        ("", vec![], json!({}), None, Layer::Default),
        ("model = ''", vec![], json!({}), None, Layer::User),
        ("model = 'user'", vec![], json!({}), Some("user"), Layer::User),
        ("model = 'user'\nprofiles.p.model = 'profile'", vec![], json!({}), Some("user"), Layer::User),
        (ALL, vec![], json!({}), Some("profile"), Layer::Profile),
        (ALL, vec!["profile=q", "profiles.q.model=r"], json!({}), Some("r"), Layer::Profile),
        (ALL, vec!["model=flag"], json!({}), Some("flag"), Layer::SessionFlags),
        (ALL, vec!["model=flag"], json!({ "model": "thread" }), Some("thread"), Layer::Thread),
        (ALL, vec!["model=flag"], json!({ "model": null }), Some("flag"), Layer::SessionFlags),
        ("profiles.p.model = 'profile'", vec![], json!({ "profile": "p" }), Some("profile"), Layer::Profile),
        // What is hidden is not looked at.
        ("model = 5", vec!["model=flag"], json!({}), Some("flag"), Layer::SessionFlags),
    ] {
        let config = Case { flags, thread: thread.clone(), ..file(text) }.load().unwrap();
        assert_eq!((config.model.as_deref(), config.origin("model")), (expected, origin), "{text} {thread}");
    }
}

#[test]
fn tables_are_joined_key_by_key_and_lists_are_replaced() {
    let case = Case {
        flags: vec!["sandbox_workspace_write.network_access=true"],
        thread: json!({
            "sandbox_workspace_write": { "writable_roots": ["/c"] },
            "model_providers": { "p": { "name": "N", "http_headers": { "b": "2" } } },
        }),
        ..file(
            "sandbox_workspace_write = { writable_roots = ['/a', '/b'], exclude_slash_tmp = true }\n\
             model_providers.p = { base_url = 'u', http_headers = { a = '1' } }",
        )
    };
    let config = case.load().unwrap();
    let write = &config.workspace_write;
    assert_eq!(write.writable_roots, [PathBuf::from("/c")]);
    assert!(write.network_access && write.exclude_slash_tmp);
    let provider = &config.providers["p"];
    assert_eq!((provider.name.as_str(), provider.base_url.as_deref()), ("N", Some("u")));
    assert_eq!(provider.http_headers.keys().collect::<Vec<_>>(), ["a", "b"]);
    for (key, layer) in [
        ("sandbox_workspace_write.network_access", Layer::SessionFlags),
        ("sandbox_workspace_write.exclude_slash_tmp", Layer::User),
        ("sandbox_workspace_write.writable_roots", Layer::Thread),
        ("sandbox_workspace_write.exclude_tmpdir_env_var", Layer::Default),
        ("model_providers.p.http_headers.a", Layer::User),
        (r#"model_providers."p".name"#, Layer::Thread),
    ] {
        assert_eq!(config.origin(key), layer, "{key}");
    }
}

#[test]
fn a_profile_is_a_table_or_a_file() {
    let case = Case { profile: Some("p"), ..file("model = 'user'") };
    assert_eq!(case.error(), "config profile `p` not found");
    fs::write(case.home.path().join("p.config.toml"), "model = 'profile'\nprofile = 'other'").unwrap();
    let config = case.load().unwrap();
    assert_eq!((config.model.as_deref(), config.profile.as_deref()), (Some("profile"), Some("p")));
    assert_eq!(config.origin("model"), Layer::Profile);
    fs::write(case.home.path().join("config.toml"), "profiles.p.model = 'table'").unwrap();
    assert_eq!(case.load().unwrap().model.as_deref(), Some("table"));
}

#[test]
fn a_profile_is_not_looked_for_in_other_folders() {
    for name in ["../p", "", "/p", "a/b"] {
        let case = Case { thread: json!({ "profile": name }), ..file("") };
        let home = case.home.path();
        fs::create_dir(home.join("a")).unwrap();
        for place in ["p.config.toml", "a/b.config.toml", ".config.toml"] {
            fs::write(home.join(place), "model = 'x'").unwrap();
        }
        assert_eq!(case.error(), format!("config profile `{name}` not found"));
    }
}

#[test]
fn a_bad_value_is_named_with_its_place() {
    for (text, expected) in [
        ("\nmodel = [oops\n", "2:14: unclosed array, expected `]`"),
        ("model = 'a'\nmodel = 'b'", "2:1: duplicate key"),
        ("model = 5", "1:9: invalid type: integer `5`, expected a string, in `model`"),
        (
            "# é\n  sandbox_mode = \"bogus\"",
            "2:18: unknown variant `bogus`, expected one of `read-only`, `workspace-write`, \
             `danger-full-access`, in `sandbox_mode`",
        ),
        (
            "approval_policy = 'x'",
            "1:19: unknown variant `x`, expected one of `untrusted`, `on-failure`, `on-request`, `granular`, \
             `never`, in `approval_policy`",
        ),
        (
            "approval_policy = { granular = { rules = true } }",
            "1:1: missing field `sandbox_approval`, in `approval_policy`",
        ),
        (
            "web_search = 'x'",
            "1:14: unknown variant `x`, expected one of `disabled`, `cached`, `indexed`, `live`, in `web_search`",
        ),
        (
            "model_context_window = -1",
            "1:24: invalid value: integer `-1`, expected 0 or more, in `model_context_window`",
        ),
        ("[features]\nx = 1", "2:5: invalid type: integer `1`, expected a boolean, in `features.x`"),
        ("features = 1", "1:12: invalid type: integer `1`, expected a map, in `features`"),
        (
            "features.multi_agent_v2.enabled = 1",
            "1:10: invalid type: integer `1`, expected a boolean, in `features.multi_agent_v2`",
        ),
        (
            "[model_providers.'a b']\nhttp_headers = { x-y = 5 }",
            "2:24: invalid type: integer `5`, expected a string, in `model_providers.\"a b\".http_headers.x-y`",
        ),
        (
            "[model_providers.a]\nwire_api = 'x'",
            "2:12: unknown variant `x`, expected `responses` or `chat`, in `model_providers.a.wire_api`",
        ),
        (
            "[model_providers.openai]\nname = 'x'",
            "1:18: model provider `openai` is built in; give yours another id, such as `my-openai`",
        ),
        ("model_provider = 'nope'", "1:18: Model provider `nope` not found"),
        ("profile = 'nope'", "1:11: config profile `nope` not found"),
        ("profile = 5", "1:11: invalid type: integer `5`, expected a string, in `profile`"),
        (
            "profile = 'p'\n[profiles.p]\nmodel = 5",
            "3:9: invalid type: integer `5`, expected a string, in `model`",
        ),
        (
            "model_instructions_file = 'none.md'",
            "1:27: failed to read model instructions file HOME/none.md: No such file or directory (os error 2)",
        ),
    ] {
        assert_eq!(file(text).error(), format!("HOME/config.toml:{expected}"), "{text}");
    }
}

#[test]
fn a_place_has_a_layer_and_a_range() {
    let case = file("\nsandbox_mode = \"bogus\"");
    let error = case.load().unwrap_err();
    assert_eq!((error.layer, error.path), (Layer::User, Some(case.loader().unwrap().path())));
    let range = TextRange { start: Position { line: 2, column: 16 }, end: Position { line: 2, column: 22 } };
    assert_eq!(error.range, Some(range));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    assert_eq!(file(b"model = '\xff'").error(), "HOME/config.toml: stream did not contain valid UTF-8");
    let case = file("");
    fs::remove_file(case.home.path().join("config.toml")).unwrap();
    fs::create_dir(case.home.path().join("config.toml")).unwrap();
    assert_eq!(case.error(), "HOME/config.toml: Is a directory (os error 21)");
}

#[test]
fn a_byte_order_mark_and_crlf_are_fine() {
    assert_eq!(file("\u{feff}model = 'm'\r\n").load().unwrap().model.as_deref(), Some("m"));
}

#[test]
fn a_bad_flag_is_told_before_any_file_is_read() {
    for (flag, expected) in [
        ("model=5", "invalid type: integer `5`, expected a string, in `model`"),
        (
            "sandbox_mode=bogus",
            "unknown variant `bogus`, expected one of `read-only`, `workspace-write`, `danger-full-access`, \
             in `sandbox_mode`",
        ),
        ("features.x=2", "invalid type: integer `2`, expected a boolean, in `features.x`"),
    ] {
        let error = Case { flags: vec![flag], ..file("model = [") }.loader().unwrap_err();
        assert_eq!((error.layer, error.path.as_ref()), (Layer::SessionFlags, None));
        assert_eq!(error.to_string(), expected);
    }
    // What files may complete is no error yet, nor is an unknown key.
    let fine = vec!["model_provider=p", "profile=p", "a..b=1", "model_providers.p.base_url=u"];
    assert!(Case { flags: fine, ..file("") }.loader().is_ok());
}

#[test]
fn a_bad_thread_override_has_no_place() {
    let case = Case { thread: json!({ "model": 5 }), ..file("model = 'm'") };
    let error = case.load().unwrap_err();
    assert_eq!((error.layer, error.path.as_ref(), error.range), (Layer::Thread, None, None));
    assert_eq!(error.to_string(), "invalid type: integer `5`, expected a string, in `model`");
    let case = Case { thread: json!({ "model_provider": "nope" }), ..file("") };
    assert_eq!(case.error(), "Model provider `nope` not found");
}

#[test]
fn a_file_is_read_anew_each_time() {
    let case = file("model = 5");
    let loader = case.loader().unwrap();
    assert!(loader.load(&Map::new()).is_err());
    fs::write(loader.path(), "model = 'm'").unwrap();
    assert_eq!(loader.load(&Map::new()).unwrap().model.as_deref(), Some("m"));
}

#[test]
fn keys_that_no_release_knows_are_listed() {
    let case = Case {
        flags: vec!["bogus.flag=1"],
        thread: json!({ "features": { "misspelt": true } }),
        ..file(
            "bogus.file = 1\nother = 1\ntui.x = 1\nmcp_servers.x.command = 'y'\nfeatures.shell_tool = true\n\
             [projects.'/x']\ntrust_level = 'trusted'\n[profiles.z]\nbogus = 1\n\
             [model_providers.p]\nsupports_websockets = true\nbogus = 1\n\
             [sandbox_workspace_write]\nbogus = 1\n[skein]\nbogus = 1",
        )
    };
    let unknown = case.load().unwrap().unknown_keys;
    let unknown: Vec<_> = unknown.iter().map(|(layer, key)| (*layer, key.as_str())).collect();
    assert_eq!(
        unknown,
        [
            (Layer::User, "model_providers.p.bogus"),
            (Layer::Thread, "features.misspelt"),
            (Layer::User, "sandbox_workspace_write.bogus"),
            (Layer::User, "skein.bogus"),
            (Layer::SessionFlags, "bogus"),
            (Layer::User, "other"),
        ]
    );
}

#[test]
fn a_log_has_no_secrets() {
    let text = "model_provider = 'p'\nmodel_providers.p = { experimental_bearer_token = 'KEEP', http_headers = { a = 'KEEP' } }";
    let case = Case { flags: vec!["model_providers.p.query_params.a=KEEP"], ..file(text) };
    let (loader, config) = (case.loader().unwrap(), case.load().unwrap());
    assert!(!format!("{loader:?} {config:?} {:?}", config.provider()).contains("KEEP"));
}
