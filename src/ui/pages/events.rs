//! The events that were received, and one of them.

pub mod list;
pub mod one;
