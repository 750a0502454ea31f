//! Who is signed in, and where.

use serde::{Deserialize, Serialize};

use crate::domain::{SessionId, Timestamp, User, UserId};

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub id_hash: [u8; 32],
    pub data: Vec<u8>,
    pub expires_at: Timestamp,
}

/// Who has signed in, and how they will recognise it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionOwner {
    pub id: SessionId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    pub address: String,
    pub user_agent: String,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUser {
    pub user: User,
    pub last_seen_at: Timestamp,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSession {
    pub id: SessionId,
    pub id_hash: [u8; 32],
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// Where it was last seen.
    pub address: String,
    pub user_agent: String,
}
