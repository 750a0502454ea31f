//! Parts of a request that several pages use: the signed-in user, permissions, filters and preferences.

pub mod access;
pub mod clean_query;
pub mod context;
pub mod flash;
pub mod form;
pub mod local_path;
pub mod origin;
pub mod preferences;
pub mod query;
pub mod recovery_range;
pub mod theme;
pub mod zone;
