//! Lets “Select all insights” tick its five, and follow them.

use leptos::prelude::*;

#[island]
pub fn SelectAllInsights() -> impl IntoView {
    let place = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    place.on_load(|place| {
        if let Some(group) = super::dom::around(&place, "fieldset") {
            browser::connect(&group);
        }
    });
    view! { <span node_ref=place hidden></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::web_sys::{Element, HtmlInputElement};
    use strum::VariantArray;
    use wasm_bindgen::JsCast;

    use crate::{
        domain::EventType,
        ui::islands::{dom::listen, field::input},
    };

    pub fn connect(group: &Element) {
        let Some(all) = input(group, "#insights") else {
            return;
        };
        let insights: Vec<_> = EventType::VARIANTS
            .iter()
            .filter(|event| event.is_insight())
            .filter_map(|event| input(group, &format!("[value='{event}']")))
            .collect();
        follow(&all, &insights);
        listen(group, "change", move |event| {
            let changed = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
            if changed.as_ref() == Some(&all) {
                insights
                    .iter()
                    .for_each(|insight| insight.set_checked(all.checked()));
            }
            follow(&all, &insights);
        });
    }

    fn follow(all: &HtmlInputElement, insights: &[HtmlInputElement]) {
        let ticked = insights.iter().filter(|insight| insight.checked()).count();
        // Also by default: that it follows the others is no choice of its own.
        all.set_default_checked(ticked == insights.len());
        all.set_checked(ticked == insights.len());
        all.set_indeterminate(ticked > 0 && ticked < insights.len());
    }
}
