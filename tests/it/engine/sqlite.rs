#![expect(clippy::duplicate_mod, reason = "the suite runs on each database")]

use crate::store::sqlite::Database;

#[path = "suite.rs"]
mod suite;
