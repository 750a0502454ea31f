//! What all calls share: who calls, how requests are read, how errors are answered, and how much is allowed.

pub(super) mod body;
pub(super) mod caller;
pub(super) mod limits;
pub(super) mod rfc3339;
pub(super) mod path;
pub(super) mod path_params;
pub(super) mod problem;
pub(super) mod query;
pub(super) mod schema;

pub use limits::Limits;
pub use problem::Problem;
