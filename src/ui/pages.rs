//! A folder per noun, a file per screen: its handlers, and the view of what they loaded.

pub mod deliveries;
pub mod docs;
pub mod events;
pub mod settings;
pub mod sign_in;
pub mod webhooks;
