//! The wire types of the app-server protocol.
//!
//! Three to know: [`Thread`] is a conversation, [`Turn`] one exchange in it, [`ThreadItem`] what a turn shows.

// The published schema says what each wire field means, and the fields' names say the rest; only those that surprise
// have a line here. Types are documented without exception.
#[allow(missing_docs)]
mod account;
#[allow(missing_docs)]
mod approvals;
#[allow(missing_docs)]
mod config;
#[allow(missing_docs)]
mod fs;
#[allow(missing_docs)]
mod initialize;
#[allow(missing_docs)]
mod item;
mod known;
mod methods;
#[allow(missing_docs)]
mod model;
#[allow(missing_docs)]
mod notifications;
mod patch;
mod path;
mod request_id;
#[allow(missing_docs)]
mod sandbox;
mod schema;
#[allow(missing_docs)]
mod thread;
#[allow(missing_docs)]
mod turn;
mod typescript;

pub use account::*;
pub use approvals::*;
pub use config::*;
pub use fs::*;
pub use initialize::*;
pub use item::*;
pub use known::*;
pub use methods::*;
pub use model::*;
pub use notifications::*;
pub use patch::PatchField;
pub use path::AbsolutePathBuf;
pub use request_id::RequestId;
pub use sandbox::*;
pub use schema::write_json_schema;
pub use thread::*;
pub use turn::*;
pub use typescript::write_typescript;
