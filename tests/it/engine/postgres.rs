#![expect(clippy::duplicate_mod, reason = "the suite runs on each database")]

use crate::store::postgres::Database;

#[path = "suite.rs"]
mod suite;
