#![expect(clippy::duplicate_mod, reason = "the suite runs on each database")]

use tempfile::TempDir;

/// A database of its own.
pub struct Database {
    pub url: String,
    _folder: TempDir,
}

impl Database {
    pub async fn create() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            url: format!("sqlite://{}", folder.path().join("caleida.db").display()),
            _folder: folder,
        }
    }
}

#[path = "suite.rs"]
mod suite;
