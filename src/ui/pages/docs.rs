//! Documentation for developers of receivers and API clients.

pub mod api;
pub mod event_types;
pub mod guide;
