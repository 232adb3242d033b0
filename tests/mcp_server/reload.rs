//! `config/mcpServer/reload`: the servers are those of the config as it is now.

use pretty_assertions::assert_eq;
use protocol::{
    ListMcpServerStatusParams, McpServerReload, McpServerStartupState, McpServerStatusList,
    McpServerStatusUpdatedNotification, NoParams,
};
use testkit::processes::until_gone;
use testkit::{Daemon, Home};

use crate::processes::family;
use crate::steps::{start, turn};

#[tokio::test]
async fn a_loaded_thread_has_the_new_servers_and_the_old_ones_end() {
    let home = Home::new().with_mcp_server("old", "stubborn", "");
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let ready = |wanted: &'static str| {
        move |note: &McpServerStatusUpdatedNotification| {
            (note.name.as_str(), note.status) == (wanted, McpServerStartupState::Ready)
        }
    };
    d.note_where(ready("old")).await;
    let old = family(&d, "sleep", 2).await;
    let file = home.root().join("config.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, config.replace("mcp_servers.old", "mcp_servers.new").replace("stubborn", ""))
        .unwrap();
    d.call::<McpServerReload>(NoParams {}).await;
    d.note_where(ready("new")).await;
    turn(&mut d, &id, "hi").await;
    let request = home.model().last_request();
    let tools = request.tools();
    assert!(tools.contains(&"mcp__new__look") && !tools.contains(&"mcp__old__look"), "{tools:?}");
    let listed = d.call::<McpServerStatusList>(ListMcpServerStatusParams::default()).await;
    assert_eq!(listed.data.iter().map(|status| status.name.as_str()).collect::<Vec<_>>(), ["new"]);
    until_gone(d.pid(), &old).await;
}
