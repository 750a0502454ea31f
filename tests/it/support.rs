//! What the integration tests share.

pub mod app;
pub mod browser;
pub mod certificate;
pub mod clock;
pub mod held;
pub mod pass;
pub mod postgres;
pub mod program;
pub mod publishers;
pub mod receiver;
