//! What the product can do, for those who write receivers and clients.

pub mod api;
pub mod event_types;
pub mod guide;
