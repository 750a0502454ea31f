//! The store's promises, whatever database stands behind it. The same suite
//! runs on both databases.

mod plans;
pub mod postgres;
mod schema;
pub mod sqlite;
