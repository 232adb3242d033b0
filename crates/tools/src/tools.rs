//! The tools, one file each.

pub(crate) mod apply_patch;
mod client;
mod exec_command;
mod goal;
mod list_mcp_resources;
mod mcp_tool;
mod read_mcp_resource;
mod request_permissions;
mod request_user_input;
mod shell;
mod update_plan;
mod view_image;
mod write_stdin;

pub(crate) use apply_patch::ApplyPatch;
pub use client::ClientTool;
pub(crate) use exec_command::ExecCommand;
pub(crate) use goal::GoalTool;
pub(crate) use list_mcp_resources::{ListMcpResources, Listed};
pub(crate) use mcp_tool::McpTool;
pub(crate) use read_mcp_resource::ReadMcpResource;
pub(crate) use request_permissions::RequestPermissions;
pub(crate) use request_user_input::RequestUserInput;
pub(crate) use shell::Shell;
pub(crate) use update_plan::UpdatePlan;
pub(crate) use view_image::ViewImage;
pub(crate) use write_stdin::WriteStdin;
