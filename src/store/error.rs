//! What can go wrong with the store, by what its callers can do about it.

/// Never shown to a user: the edges turn it into “taken”, “try again” or a plain 500, and log the source.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A name or id that must be unique is taken: tell the user which.
    #[error("already taken")]
    Conflict,
    /// The account has as many as it may have: nothing was added.
    #[error("no room for more")]
    Full,
    /// The database does not answer, is locked, full or read-only: trying again later may succeed.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// It is stored, but it is not known whether every process goes by it yet.
    #[error("the change is made, but not every process has confirmed it")]
    Unconfirmed,
    /// A stored value that this program would never have written.
    #[error("the database holds an invalid {0}")]
    Corrupt(&'static str),
    /// The database cannot be opened as configured.
    #[error("{0}")]
    Open(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) if error.is_unique_violation() => Self::Conflict,
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Open(format!("the migrations cannot be applied: {error}"))
    }
}
