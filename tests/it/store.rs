//! Tests of the store. The same suite runs on both databases.

mod plans;
pub mod postgres;
mod schema;
pub mod sqlite;
