//! Hides credentials in what is kept of a response.

use std::borrow::Cow;

use super::{Exchange, response::MAX_HEADER_VALUE};
use crate::{delivery::hidden::Hidden, domain::AttemptDetail};

impl Exchange {
    /// Hides texts in the headers, the body and the detail.
    pub(super) fn hide(mut self, hidden: &Hidden) -> Self {
        if hidden.is_empty() {
            return self;
        }
        for (_, value) in &mut self.response_headers {
            let is_cut = value.len() >= MAX_HEADER_VALUE;
            if let Cow::Owned(shown) = hidden.hide(value.as_bytes(), is_cut) {
                *value = String::from_utf8_lossy(&shown).into_owned();
            }
        }
        if let Cow::Owned(shown) = hidden.hide(&self.response_body, self.response_truncated) {
            self.response_body = shown;
        }
        if let Some(AttemptDetail::Text(text)) = &mut self.detail
            && let Cow::Owned(shown) = hidden.hide(text.as_bytes(), false)
        {
            *text = String::from_utf8_lossy(&shown).into_owned();
        }
        self
    }
}
