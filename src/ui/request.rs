//! What a request says: who asks, what for, and how they want to see it.

pub mod access;
pub mod flash;
pub mod form;
pub mod local_path;
pub mod preferences;
pub mod query;
pub mod recovery_range;
pub mod theme;
pub mod tidy_query;
pub mod visit;
pub mod zone;
