//! Tells the server in which time zone the browser is, so that the next page comes in it.

use leptos::prelude::*;

/// What it leaves the zone's name in.
pub const COOKIE: &str = "zone";

#[island]
pub fn ZoneKeeper() -> impl IntoView {
    let place = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    place.on_load(|_| {
        // A browser that does not say it is shown UTC.
        let _ = browser::keep();
    });
    view! { <span node_ref=place hidden></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use js_sys::{Array, Intl::DateTimeFormat, Object, Reflect};
    use leptos::{prelude::document, web_sys::HtmlDocument};
    use wasm_bindgen::JsCast;

    pub fn keep() -> Option<()> {
        let options = DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
        let zone = Reflect::get(&options, &"timeZone".into()).ok()?.as_string()?;
        let cookie = format!("{}={zone}; Path=/; Max-Age=31536000; SameSite=Lax", super::COOKIE);
        document()
            .dyn_into::<HtmlDocument>()
            .ok()?
            .set_cookie(&cookie)
            .ok()
    }
}
