//! Shared helpers of the integration tests.

pub mod app;
pub mod breakpoints;
pub mod browser;
pub mod certificate;
pub mod clock;
pub mod html;
pub mod pass;
pub mod postgres;
pub mod program;
pub mod publishers;
pub mod random;
pub mod receiver;
