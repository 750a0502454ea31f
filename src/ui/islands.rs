//! What runs in the browser: small improvements of pages that work without them.
//!
//! An island has no props and no children: it looks for what it improves around its own place in the page. So nothing
//! is serialised, and the wasm stays small. It renders what needs a script hidden, and shows it when it runs.

pub mod copy_button;
pub mod live_part;
pub mod modal;
pub mod name_check;
pub mod secret_tools;
pub mod select_all;
pub mod signature_check;
pub mod url_advice;
pub mod zone_keeper;

#[cfg(feature = "hydrate")]
mod dom;
