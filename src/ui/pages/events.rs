//! The event log and the page of one event.

pub mod list;
pub mod one;
