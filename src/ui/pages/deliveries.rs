//! The log of deliveries, and one of them.

mod health;
pub mod log;
pub mod one;
