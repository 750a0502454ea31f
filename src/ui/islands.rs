//! Islands: code that runs in the browser and enhances pages that also work without JavaScript.
//!
//! An island has no props and no children. It reads its state from the markup around it, which a server component has
//! rendered. So nothing is serialized, and the WebAssembly stays small. Controls that need JavaScript are rendered hidden,
//! and the island shows them. The [`navigator`] is on every page with a script: it updates the page in place instead of
//! loading another one.

pub mod copy_button;
pub mod live_part;
pub mod modal;
pub mod name_check;
pub mod navigator;
pub mod secret_tools;
pub mod select_all;
pub mod signature_check;
pub mod time_zone_cookie;
pub mod url_advice;

#[cfg(feature = "hydrate")]
mod dom;
#[cfg(feature = "hydrate")]
mod field;
