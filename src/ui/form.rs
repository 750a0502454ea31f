//! A posted form, field by field.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::{domain::EventTypes, webhooks::Draft};

/// The fields as they were posted. Repeated ones stay repeated, which checkboxes need and `axum::Form` cannot do.
pub struct Posted(Vec<(String, Zeroizing<String>)>);

impl Posted {
    pub fn parse(body: &[u8]) -> Self {
        let fields = form_urlencoded::parse(body);
        Self(
            fields
                .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
                .collect(),
        )
    }

    /// The field's value; empty if it was not posted.
    pub fn text(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(field, _)| field == name)
            .map_or("", |(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn draft(&self) -> Draft {
        Draft {
            url: self.text("url").to_owned(),
            name: self.text("name").to_owned(),
            secret: Zeroizing::new(self.text("secret").to_owned()),
            events: self.events(),
        }
    }

    /// Each once, in the order of the form, and “all insights” as the five that it stands for; as they were posted if
    /// that cannot be said of them.
    fn events(&self) -> Vec<String> {
        match EventTypes::parse(self.all("events")) {
            Ok(events) => events.iter().map(|event| event.to_string()).collect(),
            Err(_) => self.all("events").map(ToOwned::to_owned).collect(),
        }
    }

    /// The version that an edit was made on.
    pub fn version(&self) -> Option<i64> {
        self.text("version").parse().ok()
    }
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let body = Bytes::from_request(request, state)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self::parse(&body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_fields_stay_repeated() {
        let form = Posted::parse(b"name=A+%26+B&events=chat&events=insight.*");
        assert_eq!(form.all("events").collect::<Vec<_>>(), ["chat", "insight.*"]);
        assert_eq!(form.text("name"), "A & B");
        assert_eq!(form.text("url"), "");
        assert_eq!(form.version(), None);
    }

    #[test]
    fn a_draft_has_the_events_as_they_are_stored() {
        let events = |body: &[u8]| Posted::parse(body).draft().events;
        assert_eq!(
            events(b"events=message&events=chat&events=chat"),
            ["chat", "message"]
        );
        assert_eq!(events(b"events=insight.*&events=insight.key").len(), 5);
        assert_eq!(events(b"events=unheard-of"), ["unheard-of"]);
        assert!(events(b"name=x").is_empty());
    }
}
