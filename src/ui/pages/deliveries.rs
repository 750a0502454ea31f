//! The delivery log and the page of one delivery.

mod health;
pub mod log;
pub mod one;
