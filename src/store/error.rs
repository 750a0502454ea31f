//! What can go wrong with the store, by what its callers can do about it.

use std::{error::Error, fmt};

use sqlx::error::{DatabaseError, ErrorKind};

/// Never shown to a user: the edges turn it into “taken”, “try again” or a plain 500, and log the source.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What must be unique is taken: report which.
    #[error("already taken: {0}")]
    Conflict(Unique),
    /// The account has as many as it may have: nothing was added.
    #[error("no room for more")]
    Full,
    /// The database does not answer, is locked, full or read-only. Nothing was stored: trying again later may succeed.
    #[error("the database is not available: {0}")]
    Unavailable(Source),
    /// The answer to a commit was lost: what was to be stored may be, or not.
    #[error("the outcome of a commit is unknown: {0}")]
    CommitUnknown(Source),
    /// It is stored, but not every process has confirmed it yet.
    #[error("the change is stored, but not every process has confirmed it")]
    Unconfirmed,
    /// A stored value that this program would never have written.
    #[error("the database holds an invalid {0}")]
    Corrupt(&'static str),
    /// A statement that this database refuses, or whose rows cannot be read: trying again fails again.
    #[error("a bug in the store: {0}")]
    Bug(Source),
    /// The database cannot be opened as configured.
    #[error("{0}")]
    Open(String),
}

/// What lies behind an error, for the log.
pub type Source = Box<dyn Error + Send + Sync>;

/// What must be unique, and can be taken by somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// The name of a webhook in its account.
    WebhookName,
    /// The email of a user, in all accounts.
    UserEmail,
    /// The name of an API key that is active in its account.
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
    /// By what each database says: the constraint, or the columns.
    fn of(error: &dyn DatabaseError) -> Option<Self> {
        let named = |constraint, columns| {
            error.constraint() == Some(constraint) || error.message().ends_with(columns)
        };
        if named("webhooks_by_name", "webhooks.account_id, webhooks.name") {
            Some(Self::WebhookName)
        } else if named("users_email_key", "users.email") {
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

    /// Why a commit failed. It was not made only if the database itself refused it; a server that ends the connection may
    /// have made it before.
    pub(super) fn of_commit(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(refused) if !ends_connection(&**refused) => error.into(),
            _ => Self::CommitUnknown(error.into()),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(refused) => {
                if refused.kind() == ErrorKind::UniqueViolation
                    && let Some(taken) = Unique::of(&**refused)
                {
                    return Self::Conflict(taken);
                }
                if is_outage(&**refused) {
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

/// Whether PostgreSQL says with it that the connection is lost, or the server about to stop.
fn ends_connection(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    ["08", "57P", "58"].iter().any(|class| code.starts_with(class))
}

/// Whether the database refused a statement because of its own state, not because of the statement.
fn is_outage(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else { return false };
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // The low byte of an extended code is the primary one. See <https://sqlite.org/rescode.html>.
        const OUTAGES: [u32; 10] = [
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
            .is_ok_and(|code| OUTAGES.contains(&(code & 0xff)));
    }
    // Classes and codes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    const CLASSES: [&str; 6] = [
        "08", // connection exception
        "28", // invalid authorization
        "3D", // the database does not exist
        "53", // insufficient resources
        "57", // operator intervention
        "58", // system error
    ];
    const CODES: [&str; 6] = [
        "25006", // read-only transaction
        "25P03", // idle in transaction for too long
        "40001", // serialization failure
        "40P01", // deadlock
        "55000", // object not in prerequisite state, such as a standby
        "55P03", // lock not available
    ];
    CLASSES.iter().any(|class| code.starts_with(class)) || CODES.contains(&&*code)
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Open(format!("the migrations cannot be applied: {error}"))
    }
}
