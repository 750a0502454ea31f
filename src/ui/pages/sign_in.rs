//! Signing in and joining.

pub mod invite;
pub mod login;
