//! Sessions of signed-in users.

use serde::{Deserialize, Serialize};

use crate::domain::{SessionId, Timestamp, User, UserId};

/// A stored session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub id_hash: [u8; 32],
    pub data: Vec<u8>,
    pub expires_at: Timestamp,
}

/// The user of a session, and details by which the user recognizes the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionOwner {
    pub id: SessionId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    pub address: String,
    pub user_agent: String,
}

/// The user of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUser {
    pub user: User,
    pub last_seen_at: Timestamp,
}

/// A session, as shown to its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSession {
    pub id: SessionId,
    pub id_hash: [u8; 32],
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// IP address at the last recorded use.
    pub address: String,
    pub user_agent: String,
}
