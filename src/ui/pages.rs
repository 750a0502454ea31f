//! The pages. Each file has the handlers of one page and the view that they render.

pub mod deliveries;
pub mod docs;
pub mod events;
pub mod settings;
pub mod sign_in;
pub mod webhooks;
