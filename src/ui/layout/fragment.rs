//! HTML for a part of a page that the browser already shows.

use std::fmt;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::markers;
use crate::ui::request::zone::Zone;

/// HTML rendered by a view, and only by a view. So it needs no escaping in a page. Deserialized only from the encrypted
/// outcome of a form.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fragment(String);

impl Fragment {
    /// Renders a view with times in `zone`.
    pub fn render<V: IntoView>(zone: &Zone, content: impl FnOnce() -> V) -> Self {
        // A child of the current owner. A new root would replace it and its context.
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
    /// Omits the HTML, which may contain a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fragment")
    }
}
