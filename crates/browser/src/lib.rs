//! Entry point of the browser. A separate cdylib crate, because link-time optimization does not apply to a crate that is
//! also an rlib.

// Links the `#[island]`s of the root package.
use caleida as _;

/// Hydrates the islands of the page. Called once by the page's script.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
