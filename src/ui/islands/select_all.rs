//! The checkbox “Select all insights”: it selects all insights and shows whether all are selected.

use leptos::prelude::*;

#[island]
pub fn SelectAllInsights() -> impl IntoView {
    let node = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    node.on_load(|node| {
        if let Some(group) = super::dom::closest(&node, "fieldset") {
            browser::connect(&group);
        }
    });
    view! { <span node_ref=node hidden></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::web_sys::{Element, HtmlInputElement};
    use strum::VariantArray;
    use wasm_bindgen::JsCast;

    use crate::{
        domain::EventType,
        ui::islands::{dom::listen, field::find_input},
    };

    pub fn connect(group: &Element) {
        let Some(all) = find_input(group, "#insights") else {
            return;
        };
        let insights: Vec<_> = EventType::VARIANTS
            .iter()
            .filter(|event| event.is_insight())
            .filter_map(|event| find_input(group, &format!("[value='{event}']")))
            .collect();
        update(&all, &insights);
        listen(group, "change", move |event| {
            let changed = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
            if changed.as_ref() == Some(&all) {
                insights
                    .iter()
                    .for_each(|insight| insight.set_checked(all.checked()));
            }
            update(&all, &insights);
        });
    }

    /// Sets the state of “Select all insights” from the insights.
    fn update(all: &HtmlInputElement, insights: &[HtmlInputElement]) {
        let checked = insights.iter().filter(|insight| insight.checked()).count();
        // Also sets the default, so that this checkbox does not count as an unsaved change.
        all.set_default_checked(checked == insights.len());
        all.set_checked(checked == insights.len());
        all.set_indeterminate(checked > 0 && checked < insights.len());
    }
}
