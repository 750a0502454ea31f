//! Administration, and one's own account.

pub mod account;
pub mod api_keys;
pub mod audit_log;
pub mod theme;
pub mod time_zone;
pub mod users;
