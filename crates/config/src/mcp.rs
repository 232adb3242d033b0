//! MCP servers, and how to reach them.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::section::{Invalid, Section};

/// How long a server may take to start. Nobody waits for it, so there is time for one that is downloaded first.
const STARTUP: Duration = Duration::from_secs(30);

/// How long a call may take: builds and searches in large trees need minutes, but no turn should hang on a dead server.
const TOOL: Duration = Duration::from_secs(120);

/// One entry of `mcp_servers`. Variables of the environment are only named here; who starts servers looks them up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpServer {
    /// Where it is.
    pub transport: McpTransport,
    /// Whether to start it at all.
    pub enabled: bool,
    /// How long it may take to start.
    pub startup_timeout: Duration,
    /// How long a call may take.
    pub tool_timeout: Duration,
    /// The only tools to offer; all where there is no such list.
    pub enabled_tools: Option<Vec<String>>,
    /// Tools not to offer, whatever the other list says.
    pub disabled_tools: Vec<String>,
    /// When the person is asked before a tool runs.
    pub approval: McpApproval,
    /// The same for single tools, by their own names.
    pub tool_approvals: BTreeMap<String, McpApproval>,
}

/// When the person is asked before a tool of an MCP server runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum McpApproval {
    /// When commands are confined, and the tool is not known to only look.
    #[default]
    Auto,
    /// Always.
    Prompt,
    /// When the tool is not known to only look.
    Writes,
    /// Never.
    Approve,
}

/// Where an MCP server is.
#[derive(Clone, PartialEq, Eq)]
pub enum McpTransport {
    /// A program that speaks on its standard input and output.
    Stdio {
        /// The program.
        command: String,
        /// Its arguments.
        args: Vec<String>,
        /// Variables that it gets.
        env: BTreeMap<String, String>,
        /// Variables that it gets as they are set for us; all but a few common ones are kept from it.
        env_vars: Vec<String>,
        /// The folder it starts in; ours if there is none.
        cwd: Option<PathBuf>,
    },
    /// A server reached over HTTP.
    Http {
        /// Its endpoint.
        url: String,
        /// The variable that holds a bearer token. When it is named it must be set.
        bearer_token_env_var: Option<String>,
        /// Headers sent along.
        http_headers: BTreeMap<String, String>,
        /// Headers whose values are in variables; unset ones are left out.
        env_http_headers: BTreeMap<String, String>,
    },
}

/// A variable is given by its name, or as newer releases do by a table that has the name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Variable {
    Name(String),
    Table { name: String },
}

/// Says what a log needs; arguments, variables and headers may hold keys and passwords.
impl fmt::Debug for McpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdio { command, .. } => {
                f.debug_struct("Stdio").field("command", command).finish_non_exhaustive()
            }
            Self::Http { bearer_token_env_var, .. } => f
                .debug_struct("Http")
                .field("bearer_token_env_var", bearer_token_env_var)
                .finish_non_exhaustive(),
        }
    }
}

impl McpServer {
    pub(crate) fn read(section: &mut Section<'_>) -> Result<Self, Invalid> {
        let startup_millis = section.count("startup_timeout_ms")?.map(Duration::from_millis);
        Ok(Self {
            transport: McpTransport::read(section)?,
            enabled: section.get("enabled")?.unwrap_or(true),
            startup_timeout: section.seconds("startup_timeout_sec")?.or(startup_millis).unwrap_or(STARTUP),
            tool_timeout: section.seconds("tool_timeout_sec")?.unwrap_or(TOOL),
            enabled_tools: section.get("enabled_tools")?,
            disabled_tools: section.get("disabled_tools")?.unwrap_or_default(),
            approval: section.get("default_tools_approval_mode")?.unwrap_or_default(),
            tool_approvals: tool_approvals(section)?,
        })
    }

    /// Returns when the person is asked before a tool runs.
    pub fn approval_of(&self, tool: &str) -> McpApproval {
        self.tool_approvals.get(tool).copied().unwrap_or(self.approval)
    }
}

impl McpTransport {
    fn read(section: &mut Section<'_>) -> Result<Self, Invalid> {
        match (section.get("command")?, section.get("url")?) {
            (Some(command), None) => Ok(Self::Stdio {
                command,
                args: section.get("args")?.unwrap_or_default(),
                env: section.map("env")?,
                env_vars: names(section.get("env_vars")?),
                cwd: section.get("cwd")?,
            }),
            (None, Some(url)) => Ok(Self::Http {
                url,
                bearer_token_env_var: section.get("bearer_token_env_var")?,
                http_headers: section.map("http_headers")?,
                env_http_headers: section.map("env_http_headers")?,
            }),
            (Some(_), Some(_)) => Err(section.refuse("`command` and `url` exclude each other")),
            (None, None) => Err(section.refuse("`command` or `url` is missing")),
        }
    }
}

fn tool_approvals(section: &mut Section<'_>) -> Result<BTreeMap<String, McpApproval>, Invalid> {
    let mut approvals = BTreeMap::new();
    for (tool, table) in section.sections("tools")? {
        if let Some(approval) = table?.get("approval_mode")? {
            approvals.insert(tool.clone(), approval);
        }
    }
    Ok(approvals)
}

fn names(variables: Option<Vec<Variable>>) -> Vec<String> {
    let name = |variable| match variable {
        Variable::Name(name) | Variable::Table { name } => name,
    };
    variables.into_iter().flatten().map(name).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pretty_assertions::assert_eq;
    use serde_json::Map;
    use tempfile::TempDir;

    use super::*;
    use crate::{Config, Loader};

    fn config(text: &str) -> Config {
        let home = TempDir::new().unwrap();
        fs::write(home.path().join("config.toml"), text).unwrap();
        Loader::new(home.path().to_owned(), [], None).unwrap().load(&Map::new()).unwrap()
    }

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn every_key_of_a_server_is_read() {
        let config = config(
            r#"
            [mcp_servers.program]
            command = "npx"
            args = ["-y", "it"]
            env = { A = "1" }
            env_vars = ["B", { name = "C", source = "local" }]
            cwd = "/work"
            enabled = false
            required = true
            startup_timeout_sec = 1.5
            tool_timeout_sec = 7
            enabled_tools = ["x"]
            disabled_tools = ["y"]
            default_tools_approval_mode = "writes"
            [mcp_servers."over.http"]
            url = "https://localhost/mcp"
            bearer_token_env_var = "TOKEN"
            http_headers = { a = "1" }
            env_http_headers = { b = "B" }
            startup_timeout_ms = 250
            tools.x.approval_mode = "approve"
            tools.y.approval_mode = "prompt"
            tools.z = {}
            "#,
        );
        let program = McpServer {
            transport: McpTransport::Stdio {
                command: "npx".into(),
                args: strings(&["-y", "it"]),
                env: [("A".into(), "1".into())].into(),
                env_vars: strings(&["B", "C"]),
                cwd: Some("/work".into()),
            },
            enabled: false,
            startup_timeout: Duration::from_millis(1500),
            tool_timeout: Duration::from_secs(7),
            enabled_tools: Some(strings(&["x"])),
            disabled_tools: strings(&["y"]),
            approval: McpApproval::Writes,
            tool_approvals: BTreeMap::new(),
        };
        let http = McpServer {
            transport: McpTransport::Http {
                url: "https://localhost/mcp".into(),
                bearer_token_env_var: Some("TOKEN".into()),
                http_headers: [("a".into(), "1".into())].into(),
                env_http_headers: [("b".into(), "B".into())].into(),
            },
            enabled: true,
            startup_timeout: Duration::from_millis(250),
            tool_timeout: TOOL,
            enabled_tools: None,
            disabled_tools: vec![],
            approval: McpApproval::Auto,
            tool_approvals: [("x".into(), McpApproval::Approve), ("y".into(), McpApproval::Prompt)].into(),
        };
        assert_eq!(program.approval_of("x"), McpApproval::Writes);
        assert_eq!(http.approval_of("x"), McpApproval::Approve);
        let servers: Vec<_> = config.mcp_servers.into_iter().collect();
        assert_eq!(servers, [("over.http".to_owned(), Ok(http)), ("program".to_owned(), Ok(program))]);
        assert_eq!(config.unknown_keys, []);
    }

    #[test]
    fn a_broken_server_costs_itself_only() {
        for (entry, line, error) in [
            ("a = 5", 2, "invalid type: integer `5`, expected a map, in `mcp_servers.a`"),
            ("a.args = []", 2, "`command` or `url` is missing, in `mcp_servers.a`"),
            (
                "a = { command = 'x', url = 'y' }",
                2,
                "`command` and `url` exclude each other, in `mcp_servers.a`",
            ),
            (
                "a.command = 'x'\na.env.B = 1",
                3,
                "invalid type: integer `1`, expected a string, in `mcp_servers.a.env.B`",
            ),
            (
                "a.command = 'x'\na.tools.b.approval_mode = 'y'",
                3,
                "unknown variant `y`, expected one of `auto`, `prompt`, `writes`, `approve`, \
                 in `mcp_servers.a.tools.b.approval_mode`",
            ),
            (
                "a.command = 'x'\na.tool_timeout_sec = -1",
                3,
                "invalid value: `-1`, expected 0 or more seconds, in `mcp_servers.a.tool_timeout_sec`",
            ),
        ] {
            let config = config(&format!("[mcp_servers]\n{entry}\nb.command = 'y'"));
            let broken = config.mcp_servers["a"].as_ref().unwrap_err();
            assert_eq!(broken.message, error);
            assert_eq!(broken.range.unwrap().start.line, line, "{error}");
            assert!(config.mcp_servers["b"].is_ok());
        }
    }

    #[test]
    fn a_key_that_a_server_does_not_have_is_reported() {
        let config = config("[mcp_servers.a]\nurl = 'x'\nargs = []\ncomand = 'y'\nscopes = []");
        let unknown: Vec<_> = config.unknown_keys.iter().map(|(_, key)| key.as_str()).collect();
        assert_eq!(unknown, ["mcp_servers.a.args", "mcp_servers.a.comand"]);
    }

    #[test]
    fn secrets_are_not_logged() {
        let config = config(
            "[mcp_servers]\na = { command = 'x', args = ['secret'], env = { A = 'secret' } }\n\
             b = { url = 'http://secret', http_headers = { A = 'secret' } }",
        );
        let text = format!("{:?}", config.mcp_servers);
        assert!(text.contains("command") && !text.contains("secret"), "{text}");
    }
}
