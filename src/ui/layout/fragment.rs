//! A part of a page, for a page that is shown already.

use std::fmt;

use leptos::prelude::*;
use serde::Serialize;

use super::markers;
use crate::ui::request::zone::Zone;

/// HTML that a view has rendered, and nothing else: so it may stand in a page as it is.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Fragment(String);

impl Fragment {
    /// Renders a view, with times in this zone.
    pub fn render<V: IntoView>(zone: &Zone, content: impl FnOnce() -> V) -> Self {
        // A child of whoever owns the function that is running: a new root would take its place, and its context.
        let owner = Owner::new();
        let html = owner.with(|| {
            provide_context(zone.clone());
            content().into_view().to_html()
        });
        owner.cleanup();
        Self(markers::strip(&html))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Fragment {
    /// Without the HTML, which may show a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fragment")
    }
}
