//! The tools, one file each.

mod client;
mod request_user_input;
mod update_plan;
mod view_image;

pub use client::ClientTool;
pub(crate) use request_user_input::RequestUserInput;
pub(crate) use update_plan::UpdatePlan;
pub(crate) use view_image::ViewImage;
