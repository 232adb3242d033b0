//! `mcpServer/*` and its like.

mod reload;
mod resource_read;
mod status_list;
mod tool_call;
