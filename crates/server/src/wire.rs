//! To and from protocol types; nowhere else builds a wire type out of a stored one.

mod attachments;
mod client_tools;
mod config;
mod git_info;
mod goals;
mod ids;
mod input;
mod mcp;
mod questions;
mod sections;
mod settings;
mod source;
mod thread;
mod usage;

pub(crate) use attachments::{
    attachment, attachment_cursor, attachment_identity, attachment_owner, attachment_position,
    attachment_thread, owner_cursor, owner_position,
};
pub(crate) use client_tools::client_tools;
pub(crate) use config::{config_error, config_warning, rules_warning};
pub(crate) use git_info::{git_info, git_info_patch};
pub(crate) use goals::{goal, goal_patch, goal_updated};
pub(crate) use ids::{optional_thread_id, request_id, session_id, thread_id};
pub(crate) use input::inputs;
pub(crate) use mcp::{known, mcp_error, mcp_server, mcp_status};
pub(crate) use questions::*;
pub(crate) use sections::{appearance, appearance_patch, section, section_move};
pub(crate) use settings::{
    approval_from_wire, effort_from_wire, sandbox_from_wire, sandbox_policy, service_tier_from_wire,
    settings, summary_word,
};
pub(crate) use source::{session_source, source_filters};
pub(crate) use thread::{Loaded, ThreadParts, status, thread};
pub(crate) use usage::{rate_limits, token_usage};
