//! Shared by all endpoints: authentication, request parsing, problem responses and rate limits.

pub(super) mod body;
pub(super) mod caller;
pub(super) mod limits;
pub(super) mod path;
pub(super) mod path_params;
pub(super) mod problem;
pub(super) mod query;
pub(super) mod rfc3339;
pub(super) mod schema;

pub use limits::Limits;
pub use problem::Problem;
