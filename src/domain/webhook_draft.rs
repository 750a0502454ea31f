//! The settings of a webhook as a user or an API client enters them, not yet validated.

use std::fmt;

use strum::VariantArray;
use zeroize::Zeroizing;

use super::{
    EndpointUrl, EventTypes, Field, FieldErrors, Transport, WebhookName, WebhookOptions, WebhookSettings,
    custom_header::{HeaderChanges, HeaderDraft},
    delivery_settings::{Description, Retries},
    filter::Filter,
};

/// Settings as text.
#[derive(Clone, Default)]
pub struct WebhookDraft {
    pub url: String,
    pub name: String,
    /// If empty, a new webhook gets a generated secret and an existing one keeps its secret.
    pub secret: Zeroizing<String>,
    pub events: Vec<String>,
    pub description: String,
    pub headers: Vec<HeaderDraft>,
    /// JSON. Empty for none, as the next three.
    pub filter: String,
    pub rate_limit: String,
    pub timeout_seconds: String,
    pub retries: String,
}

impl WebhookDraft {
    /// Returns the saved settings, with the whole URL, to save them again.
    pub fn saved(settings: &WebhookSettings) -> Self {
        let WebhookSettings {
            url,
            name,
            events,
            options,
        } = settings;
        let headers = options.headers.iter();
        Self {
            url: url.full().to_string(),
            name: name.to_string(),
            secret: Zeroizing::default(),
            events: events.iter().map(|event| event.to_string()).collect(),
            description: options
                .description
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            headers: headers.map(|name| HeaderDraft::kept(name.as_str())).collect(),
            filter: options.filter.as_ref().map(Filter::to_json).unwrap_or_default(),
            rate_limit: options
                .rate_limit
                .map(|limit| limit.to_string())
                .unwrap_or_default(),
            timeout_seconds: options
                .timeout_seconds
                .map(|timeout| timeout.to_string())
                .unwrap_or_default(),
            retries: options.retries.to_string(),
        }
    }

    /// Parses all settings and adds an error for each invalid one. Also returns the changes of the values of headers.
    pub fn parse(
        &self,
        transport: Transport,
        errors: &mut FieldErrors,
    ) -> Option<(WebhookSettings, HeaderChanges)> {
        let url = errors.keep(Field::Url, EndpointUrl::parse(&self.url, transport));
        let name = errors.keep(Field::Name, WebhookName::parse(&self.name));
        let events = self.events.iter().map(String::as_str);
        let events = errors.keep(Field::Events, EventTypes::parse(events));
        let description = errors.keep(Field::Description, Description::parse(&self.description));
        let headers = errors.keep(Field::Headers, HeaderChanges::parse(&self.headers));
        let filter = errors.keep_optional(Field::Filter, &self.filter, Filter::parse_text);
        let rate_limit = errors.keep_optional(Field::RateLimit, &self.rate_limit, str::parse);
        let timeout = errors.keep_optional(Field::TimeoutSeconds, &self.timeout_seconds, str::parse);
        let retries = errors.keep_optional(Field::Retries, &self.retries, Retries::parse);
        let headers = headers?;
        let settings = WebhookSettings {
            url: url?,
            name: name?,
            events: events?,
            options: WebhookOptions {
                description: description?,
                headers: headers.names(),
                filter: filter?,
                rate_limit: rate_limit?,
                timeout_seconds: timeout?,
                retries: retries?.unwrap_or_default(),
            },
        };
        Some((settings, headers))
    }

    /// Replaces a setting with that of another draft.
    pub fn take(&mut self, field: Field, from: &Self) {
        match field {
            Field::Url => self.url.clone_from(&from.url),
            Field::Name => self.name.clone_from(&from.name),
            Field::Secret => self.secret.clone_from(&from.secret),
            Field::Events => self.events.clone_from(&from.events),
            Field::Description => self.description.clone_from(&from.description),
            Field::Headers => self.headers.clone_from(&from.headers),
            Field::Filter => self.filter.clone_from(&from.filter),
            Field::RateLimit => self.rate_limit.clone_from(&from.rate_limit),
            Field::TimeoutSeconds => self.timeout_seconds.clone_from(&from.timeout_seconds),
            Field::Retries => self.retries.clone_from(&from.retries),
        }
    }

    /// Returns a setting in words, to compare it with another version and to show both. Secret values are only named.
    pub fn in_words(&self, field: Field) -> String {
        let text = match field {
            Field::Url => self.url.trim().to_owned(),
            Field::Name => self.name.trim().to_owned(),
            Field::Secret if self.secret.trim().is_empty() => "unchanged".to_owned(),
            Field::Secret => "a new one".to_owned(),
            Field::Events => self.events.join(", "),
            Field::Description => self.description.trim().replace("\r\n", "\n"),
            Field::Headers => {
                let mut names: Vec<_> = self.headers.iter().map(HeaderDraft::in_words).collect();
                names.sort();
                names.join(", ")
            }
            Field::Filter => match Filter::parse_text(&self.filter) {
                Ok(filter) => filter.to_string(),
                Err(_) => self.filter.clone(),
            },
            Field::RateLimit => self.rate_limit.trim().to_owned(),
            Field::TimeoutSeconds => self.timeout_seconds.trim().to_owned(),
            Field::Retries => self.retries.trim().to_owned(),
        };
        if text.is_empty() {
            field.default_words().to_owned()
        } else {
            text
        }
    }

    /// Returns the settings that differ, in the order of the form.
    pub fn differences(&self, other: &Self) -> impl Iterator<Item = Field> {
        let fields = Field::VARIANTS.iter().copied();
        fields.filter(move |&field| self.in_words(field) != other.in_words(field))
    }
}

impl fmt::Debug for WebhookDraft {
    /// Omits the secret and the values of headers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for &field in Field::VARIANTS {
            map.entry(&field.as_str(), &self.in_words(field));
        }
        map.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_found_in_any_notation() {
        let saved = WebhookDraft {
            name: "Orders".to_owned(),
            events: vec!["chat".to_owned()],
            headers: vec![HeaderDraft::kept("authorization"), HeaderDraft::kept("x-tenant")],
            filter: r#"{"all":[{"field":"n","op":"eq","value":1}]}"#.to_owned(),
            retries: "standard".to_owned(),
            ..WebhookDraft::default()
        };
        let same = WebhookDraft {
            name: " Orders ".to_owned(),
            headers: vec![HeaderDraft::kept("X-Tenant"), HeaderDraft::kept("Authorization:")],
            filter: r#"{ "all": [ { "op": "eq", "value": 1.0, "field": "n" } ] }"#.to_owned(),
            retries: String::new(),
            ..saved.clone()
        };
        assert_eq!(same.differences(&saved).collect::<Vec<_>>(), []);
        let other = WebhookDraft {
            events: Vec::new(),
            headers: vec![
                HeaderDraft::new("authorization", "hunter2"),
                HeaderDraft::kept("x-tenant"),
            ],
            secret: Zeroizing::new("hunter2".to_owned()),
            rate_limit: "5".to_owned(),
            ..saved.clone()
        };
        let different = [Field::Secret, Field::Events, Field::Headers, Field::RateLimit];
        assert_eq!(other.differences(&saved).collect::<Vec<_>>(), different);
        assert_eq!(
            other.in_words(Field::Headers),
            "authorization (new value), x-tenant"
        );
        assert_eq!(other.in_words(Field::Events), "none");
        assert!(!format!("{other:?}").contains("hunter2"));
        let mut merged = other;
        for field in different {
            merged.take(field, &saved);
        }
        assert_eq!(merged.differences(&saved).count(), 0);
    }

    fn parse(draft: &WebhookDraft) -> Result<WebhookSettings, Vec<Field>> {
        let mut errors = FieldErrors::default();
        let parsed = draft.parse(Transport::HttpsOnly, &mut errors);
        let fields = errors.iter().map(|(field, _)| field).collect();
        parsed.map(|(settings, _)| settings).ok_or(fields)
    }

    fn minimal() -> WebhookDraft {
        WebhookDraft {
            url: "https://example.com/".to_owned(),
            name: "Orders".to_owned(),
            events: vec!["chat".to_owned()],
            ..WebhookDraft::default()
        }
    }

    #[test]
    fn errors_are_reported_in_the_order_of_the_form() {
        let invalid = WebhookDraft {
            url: "x".to_owned(),
            description: "x".repeat(501),
            headers: vec![HeaderDraft::new("Host", "x")],
            filter: "{}".to_owned(),
            rate_limit: "0".to_owned(),
            timeout_seconds: "31".to_owned(),
            retries: "forever".to_owned(),
            ..WebhookDraft::default()
        };
        let fields = [
            Field::Url,
            Field::Name,
            Field::Events,
            Field::Description,
            Field::Headers,
            Field::Filter,
            Field::RateLimit,
            Field::TimeoutSeconds,
            Field::Retries,
        ];
        assert_eq!(parse(&invalid), Err(fields.to_vec()));
    }

    #[test]
    fn options_are_optional_and_survive_a_save() {
        assert_eq!(parse(&minimal()).unwrap().options, WebhookOptions::default());
        let draft = WebhookDraft {
            description: "Owner: Zoë".to_owned(),
            headers: vec![HeaderDraft::new("X-Tenant", "7")],
            filter: r#"{"all":[{"field":"n","op":"gt","value":1.50}]}"#.to_owned(),
            rate_limit: " 10 ".to_owned(),
            timeout_seconds: "5".to_owned(),
            retries: "short".to_owned(),
            ..minimal()
        };
        let settings = parse(&draft).unwrap();
        assert_eq!(parse(&WebhookDraft::saved(&settings)).unwrap(), settings);
        assert_eq!(
            serde_json::to_string(&settings.options).unwrap(),
            r#"{"description":"Owner: Zoë","headers":[{"name":"x-tenant","set":true}],"filter":{"all":[{"field":"n","op":"gt","value":1.5}]},"rate_limit":10,"timeout_seconds":5,"retries":"short"}"#
        );
    }
}
