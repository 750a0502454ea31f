//! Stores the time zone of the browser in a cookie, so that the server renders the next page in it.

use leptos::prelude::*;

/// Cookie with the name of the time zone.
pub const ZONE_COOKIE: &str = "zone";

#[island]
pub fn TimeZoneCookie() -> impl IntoView {
    let node = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    node.on_load(|_| {
        // Without a time zone, the server uses UTC.
        let _ = browser::store();
    });
    view! { <span node_ref=node hidden></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use js_sys::{Array, Intl::DateTimeFormat, Object, Reflect};
    use leptos::{prelude::document, web_sys::HtmlDocument};
    use wasm_bindgen::JsCast;

    pub fn store() -> Option<()> {
        let options = DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
        let zone = Reflect::get(&options, &"timeZone".into()).ok()?.as_string()?;
        let cookie = format!(
            "{}={zone}; Path=/; Max-Age=31536000; SameSite=Lax",
            super::ZONE_COOKIE
        );
        document()
            .dyn_into::<HtmlDocument>()
            .ok()?
            .set_cookie(&cookie)
            .ok()
    }
}
