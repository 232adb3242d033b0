//! The wire types of the app-server protocol.
//!
//! Three to know: [`Thread`] is a conversation, [`Turn`] one exchange in it, [`ThreadItem`] what a turn shows.
//! A call is a [`Method`]: a unit type such as [`ThreadStart`] with its name, params and response. A request comes in as
//! raw params; [`known_method`] tells whether the method exists, [`KnownMethod::check_stable`] whether the client may use
//! it, [`decode_params`] reads it. What goes out unasked is a [`ServerNotification`]; what the server asks of a client is
//! a [`ServerMethod`], whose answer [`decode_answer`] reads.
//!
//! Invariant: whatever these types write is valid under the schemas of both published releases. So enums hold the words
//! that both know, a field that either requires is always there, and a field that only one knows goes to all clients.
//! The one exception is words of a provider that the user chose ([`ReasoningEffort`], [`ServiceTier`]).
//! What clients send may be from either release, and is understood as far as something here acts on it.
//!
//! Not here: frames and ids of messages (crate `jsonrpc`), and what the values mean.

// The published schema says what each wire field means, and the fields' names say the rest; only those that surprise
// have a line here. Types are documented without exception.
#[allow(missing_docs)]
mod account;
#[allow(missing_docs)]
mod approvals;
#[allow(missing_docs)]
mod config;
#[allow(missing_docs)]
mod dynamic_tools;
#[allow(missing_docs)]
mod elicitation;
#[allow(missing_docs)]
mod fs;
#[allow(missing_docs)]
mod initialize;
#[allow(missing_docs)]
mod item;
mod known;
#[allow(missing_docs)]
mod mcp;
mod methods;
#[allow(missing_docs)]
mod model;
#[allow(missing_docs)]
mod notifications;
mod patch;
mod path;
mod request_id;
#[allow(missing_docs)]
mod review;
#[allow(missing_docs)]
mod sandbox;
mod schema;
mod server_requests;
#[allow(missing_docs)]
mod thread;
#[allow(missing_docs)]
mod turn;
mod typescript;
#[allow(missing_docs)]
mod user_input;

pub use account::*;
pub use approvals::*;
pub use config::*;
pub use dynamic_tools::*;
pub use elicitation::*;
pub use fs::*;
pub use initialize::*;
pub use item::*;
pub use known::*;
pub use mcp::*;
pub use methods::*;
pub use model::*;
pub use notifications::*;
pub use patch::PatchField;
pub use path::AbsolutePathBuf;
pub use request_id::RequestId;
pub use review::*;
pub use sandbox::*;
pub use schema::write_json_schema;
pub use server_requests::*;
pub use thread::*;
pub use turn::*;
pub use typescript::write_typescript;
pub use user_input::*;
