//! What runs in the browser: improvements of pages that work without them.
//!
//! An island has no props and no children: what it starts from is in the markup around it, which the server's component
//! of the same field, form or dialog has rendered. So nothing is serialised, and the WebAssembly stays small. It renders
//! what needs a script hidden, and shows it when it runs. The one island that every page has is the
//! [`navigator`]: it changes the page in place where it would otherwise be loaded again.

pub mod copy_button;
pub mod live_part;
pub mod modal;
pub mod name_check;
pub mod navigator;
pub mod secret_tools;
pub mod select_all;
pub mod signature_check;
pub mod url_advice;
pub mod zone_keeper;

#[cfg(feature = "hydrate")]
mod dom;
#[cfg(feature = "hydrate")]
mod field;
