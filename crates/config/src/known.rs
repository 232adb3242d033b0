//! Keys that mean something to some release, so that a misspelt one can be told from one that we do not act on.

/// Tells whether the first segment is a known key of the top level.
pub(crate) fn is_known(path: &[String]) -> bool {
    path.first().is_some_and(|key| TOP.binary_search(&key.as_str()).is_ok())
}

/// Tells whether the last segment is a known key of a provider that has no meaning here.
pub(crate) fn is_known_of_provider(path: &[String]) -> bool {
    path.last().is_some_and(|key| PROVIDER.contains(&key.as_str()))
}

/// Tells whether the last segment is a known key of an MCP server that has no meaning here.
pub(crate) fn is_known_of_mcp_server(path: &[String]) -> bool {
    path.last().is_some_and(|key| MCP_SERVER.contains(&key.as_str()))
}

/// What `config/read` of the two published releases shows, and ours.
const TOP: [&str; 113] = [
    "agents",
    "allow_login_shell",
    "allow_symlinked_codex_home",
    "analytics",
    "approval_policy",
    "approvals_reviewer",
    "apps",
    "apps_mcp_product_sku",
    "audio",
    "auto_review",
    "background_terminal_max_timeout",
    "browser_use",
    "chatgpt_base_url",
    "check_for_update_on_startup",
    "cli_auth_credentials_store",
    "client_search_provider",
    "cloud",
    "commit_attribution",
    "computer_use",
    "daybreak",
    "default_permissions",
    "desktop",
    "developer_instructions",
    "disable_paste_burst",
    "experimental_compact_prompt_file",
    "experimental_instructions_file",
    "experimental_realtime_start_instructions",
    "experimental_realtime_webrtc_call_base_url",
    "experimental_realtime_ws_backend_prompt",
    "experimental_realtime_ws_base_url",
    "experimental_realtime_ws_model",
    "experimental_realtime_ws_startup_context",
    "experimental_thread_store",
    "experimental_thread_store_endpoint",
    "experimental_use_freeform_apply_patch",
    "experimental_use_unified_exec_tool",
    "features",
    "feedback",
    "file_opener",
    "forced_chatgpt_workspace_id",
    "forced_login_method",
    "ghost_snapshot",
    "goals",
    "hide_agent_reasoning",
    "history",
    "hooks",
    "include_apps_instructions",
    "include_collaboration_mode_instructions",
    "include_environment_context",
    "include_environment_context_time",
    "include_permissions_instructions",
    "instructions",
    "js_repl_node_module_dirs",
    "js_repl_node_path",
    "log_dir",
    "marketplaces",
    "mcp_enterprise_managed_auth",
    "mcp_oauth_callback_port",
    "mcp_oauth_callback_url",
    "mcp_oauth_credentials_store",
    "mcp_optional_startup_grace_ms",
    "mcp_servers",
    "memories",
    "model",
    "model_auto_compact_token_limit",
    "model_auto_compact_token_limit_scope",
    "model_catalog_json",
    "model_context_window",
    "model_instructions_file",
    "model_post_turn_compact_threshold_percent",
    "model_provider",
    "model_providers",
    "model_reasoning_effort",
    "model_reasoning_summary",
    "model_supports_reasoning_summaries",
    "model_verbosity",
    "notice",
    "notify",
    "openai_base_url",
    "orchestrator",
    "oss_provider",
    "otel",
    "permissions",
    "personality",
    "plan_mode_reasoning_effort",
    "plugins",
    "profile",
    "profiles",
    "project_doc_fallback_filenames",
    "project_doc_max_bytes",
    "project_root_markers",
    "projects",
    "realtime",
    "responses_api_metadata",
    "review_model",
    "sandbox_mode",
    "sandbox_workspace_write",
    "service_tier",
    "shell_environment_policy",
    "show_raw_agent_reasoning",
    "skein",
    "skills",
    "sqlite_home",
    "suppress_unstable_features_warning",
    "thread_unload_delay_secs",
    "tool_output_token_limit",
    "tool_suggest",
    "tools",
    "tui",
    "web_search",
    "windows",
    "windows_wsl_setup_acknowledged",
    "zsh_path",
];

/// How a key is fetched by a program, how AWS is reached, and another transport.
const PROVIDER: [&str; 4] = ["auth", "aws", "supports_websockets", "websocket_connect_timeout_ms"];

/// Logins, and whether a thread should fail to start with its server.
const MCP_SERVER: [&str; 6] =
    ["auth", "oauth", "oauth_resource", "required", "scopes", "supports_parallel_tool_calls"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_sorted_for_the_search() {
        assert!(TOP.is_sorted());
    }
}
