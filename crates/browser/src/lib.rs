//! The browser's entry point: a leaf, so that link-time optimisation is real. Nothing else belongs here.

// Keeps the `#[island]`s of the root package linked: nothing else here names it.
use caleida as _;

/// Called once by the page's own script; each island then starts where the server rendered it.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
