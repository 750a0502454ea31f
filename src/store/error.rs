//! Errors of the store, grouped by how a caller can react.

use std::{error::Error, fmt};

use sqlx::error::{DatabaseError, ErrorKind};

/// Error of a store operation. Its text is for operators. The UI and the API map it to messages of their own.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique value is already taken.
    #[error("already taken: {0}")]
    Conflict(Unique),
    /// The account has the maximum number of objects. Nothing was added.
    #[error("limit reached")]
    LimitReached,
    /// The database does not respond, is locked, full or read-only. Nothing was stored. A later retry may succeed.
    #[error("the database is not available: {0}")]
    Unavailable(Source),
    /// The connection was lost or a sync failed during a commit. The change may or may not be stored.
    #[error("the outcome of a commit is unknown: {0}")]
    CommitUnknown(Source),
    /// The change is stored, but not every process has applied it yet.
    #[error("the change is stored, but not every process has confirmed it")]
    Unconfirmed,
    /// The database contains a value that this program does not write.
    #[error("the database holds an invalid {0}")]
    Corrupt(&'static str),
    /// The database rejected a statement, or its rows cannot be read. A retry fails again.
    #[error("a bug in the store: {0}")]
    Bug(Source),
    /// The database cannot be opened as configured.
    #[error("{0}")]
    Open(String),
}

/// Underlying error, for the log.
pub type Source = Box<dyn Error + Send + Sync>;

/// A value that must be unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// Name of a webhook in its account.
    WebhookName,
    /// Email address of a user, across all accounts.
    UserEmail,
    /// Name of an active API key in its account.
    ApiKeyName,
}

impl fmt::Display for Unique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WebhookName => "webhook name",
            Self::UserEmail => "email",
            Self::ApiKeyName => "API key name",
        })
    }
}

impl Unique {
    /// Returns which constraint was violated. PostgreSQL reports its name, SQLite its columns.
    fn from_violation(error: &dyn DatabaseError) -> Option<Self> {
        let is_violated = |constraint, columns| {
            error.constraint() == Some(constraint) || error.message().ends_with(columns)
        };
        if is_violated("webhooks_by_name", "webhooks.account_id, webhooks.name") {
            Some(Self::WebhookName)
        } else if is_violated("users_email_key", "users.email") {
            Some(Self::UserEmail)
        } else {
            None
        }
    }
}

impl StoreError {
    pub(crate) fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }

    pub(super) fn bug(source: impl Into<Source>) -> Self {
        Self::Bug(source.into())
    }

    /// Converts the error of a commit. The outcome is only known if the database rejected the commit and keeps the
    /// connection: a server that ends the connection may have committed before.
    pub(super) fn from_commit(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(rejected) if !ends_connection(&**rejected) => error.into(),
            _ => Self::CommitUnknown(error.into()),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(rejected) => {
                if rejected.kind() == ErrorKind::UniqueViolation
                    && let Some(taken) = Unique::from_violation(&**rejected)
                {
                    return Self::Conflict(taken);
                }
                if is_outage(&**rejected) {
                    Self::unavailable(error)
                } else {
                    Self::bug(error)
                }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::unavailable(error),
            _ => Self::bug(error),
        }
    }
}

/// Returns whether PostgreSQL reports a lost connection or a server shutdown.
fn ends_connection(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    ["08", "57P", "58"].iter().any(|class| code.starts_with(class))
}

/// Returns whether the database rejected a statement because of its own state, not because of the statement.
fn is_outage(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else { return false };
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // The low byte of an extended result code is the primary code. See <https://sqlite.org/rescode.html>.
        const PRIMARY_CODES: [u32; 10] = [
            3,  // PERM
            5,  // BUSY
            6,  // LOCKED
            7,  // NOMEM
            8,  // READONLY
            10, // IOERR
            11, // CORRUPT
            13, // FULL
            14, // CANTOPEN
            26, // NOTADB
        ];
        return code
            .parse::<u32>()
            .is_ok_and(|code| PRIMARY_CODES.contains(&(code & 0xff)));
    }
    // Error classes and codes, see <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    const CLASSES: [&str; 6] = [
        "08", // connection exception
        "28", // invalid authorization
        "3D", // unknown database
        "53", // insufficient resources
        "57", // operator intervention
        "58", // system error
    ];
    const CODES: [&str; 6] = [
        "25006", // read-only transaction
        "25P03", // idle-in-transaction timeout
        "40001", // serialization failure
        "40P01", // deadlock
        "55000", // object not in prerequisite state, for example a standby
        "55P03", // lock not available
    ];
    CLASSES.iter().any(|class| code.starts_with(class)) || CODES.contains(&&*code)
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Open(format!("failed to apply the migrations: {error}"))
    }
}
