//! Administration and the settings of the signed-in user.

pub mod account;
pub mod api_keys;
pub mod audit_log;
pub mod theme;
pub mod time_zone;
pub mod users;
