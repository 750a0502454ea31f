#![expect(clippy::duplicate_mod, reason = "the suite runs on each database")]

use crate::support::postgres;

/// A database of its own.
struct Database {
    url: String,
}

impl Database {
    async fn create() -> Self {
        Self {
            url: postgres::create_database().await,
        }
    }
}

#[path = "suite.rs"]
mod suite;
