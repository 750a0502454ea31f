//! Sign-in and accepting an invite.

pub mod invite;
pub mod login;
mod welcome;
