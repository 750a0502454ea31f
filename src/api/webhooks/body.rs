//! The settings of a webhook in request bodies.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema, schema::SchemaType},
};
use zeroize::Zeroizing;

use crate::{
    api::http::{
        body::integer,
        schema::{header_values, optional_filter, subscribed_events},
    },
    domain::{WebhookDraft, custom_header::HeaderDraft},
};

/// Fields to change. Omitted fields keep their values. `null` resets an optional setting.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookChange)]
pub(in crate::api) struct WebhookBody {
    /// URL that receives the events. Must start with `https://`. Only public addresses are called. Stored encoded, in
    /// which form it has at most 2048 characters.
    #[schema(max_length = 2048, examples("https://crm.example/hook"))]
    url: Option<String>,
    /// Name, unique in the account. A line with a visible character and without invisible ones. Stored in Unicode
    /// normalization form C.
    #[schema(min_length = 1, max_length = 100, examples("Orders → CRM"))]
    name: Option<String>,
    /// `whsec_` followed by 24 to 64 bytes in base64, or any text of 24 to 256 bytes. A new webhook gets a generated one
    /// if it is omitted. A change replaces the secret at once; use `rotate-secret` to keep signing with the previous
    /// one for a while.
    #[schema(value_type = Option<String>, min_length = 24, max_length = 256)]
    secret: Option<Zeroizing<String>>,
    #[schema(schema_with = subscribed_events)]
    events: Option<Vec<String>>,
    /// Text about the purpose of the webhook, of several lines if needed.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 500, examples("Owner: support tools team"))]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(schema_with = header_values)]
    headers: Option<Option<HeaderValues>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(schema_with = optional_filter)]
    filter: Option<Option<Box<RawValue>>>,
    /// Maximum number of calls per second, of all processes together. What exceeds it waits.
    #[serde(default, deserialize_with = "nullable_integer")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1000, examples(10))]
    rate_limit: Option<Option<i64>>,
    /// Timeout of an attempt. Without it, `CALEIDA_DELIVERY_TIMEOUT` applies, 15 s by default.
    #[serde(default, deserialize_with = "nullable_integer")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 30, examples(15))]
    timeout_seconds: Option<Option<i64>>,
    /// `standard`: `CALEIDA_RETRY_SCHEDULE`, 10 attempts over 3 days by default. `short`: 5 attempts within an hour.
    /// `none`: 1 attempt.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<crate::domain::delivery_settings::Retries>)]
    retries: Option<Option<String>>,
    /// Version that this change is based on. Alternative to the `If-Match` header.
    #[serde(default, deserialize_with = "integer")]
    #[schema(examples(1))]
    pub(super) version: Option<i64>,
}

/// The values of headers by name. `null` removes a header.
type HeaderValues = BTreeMap<String, Option<Zeroizing<String>>>;

impl WebhookBody {
    /// Changes a draft.
    pub(super) fn apply(self, draft: &mut WebhookDraft) {
        let Self {
            url,
            name,
            secret,
            events,
            description,
            headers,
            filter,
            rate_limit,
            timeout_seconds,
            retries,
            version: _,
        } = self;
        set(&mut draft.url, url);
        set(&mut draft.name, name);
        set(&mut draft.secret, secret);
        set(&mut draft.events, events);
        set(&mut draft.description, description.map(Option::unwrap_or_default));
        set(
            &mut draft.filter,
            filter.map(|filter| filter.map(|json| json.get().to_owned()).unwrap_or_default()),
        );
        set(&mut draft.rate_limit, rate_limit.map(number));
        set(&mut draft.timeout_seconds, timeout_seconds.map(number));
        set(&mut draft.retries, retries.map(Option::unwrap_or_default));
        match headers {
            None => {}
            Some(None) => draft.headers.clear(),
            Some(Some(values)) => values
                .into_iter()
                .for_each(|(name, value)| set_header(&mut draft.headers, name, value)),
        }
    }
}

fn set<T>(value: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *value = new;
    }
}

fn number(number: Option<i64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// Sets or removes a header that is not yet set in the same body.
fn set_header(headers: &mut Vec<HeaderDraft>, name: String, value: Option<Zeroizing<String>>) {
    headers.retain(|header| header.value.is_some() || !header.name.eq_ignore_ascii_case(name.trim()));
    if value.is_some() {
        headers.push(HeaderDraft { name, value });
    }
}

/// Distinguishes `null` from an omitted field.
fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn nullable_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<i64>>, D::Error> {
    integer(deserializer).map(Some)
}

/// A webhook to create.
#[derive(Deserialize)]
#[serde(transparent)]
pub(in crate::api) struct NewWebhook(pub(super) WebhookBody);

/// Fields of a new webhook that are required.
const REQUIRED: [&str; 3] = ["url", "name", "events"];

/// The schema of a change with required fields and without a version.
impl PartialSchema for NewWebhook {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(mut object)) = WebhookBody::schema() else {
            unreachable!("a struct is an object");
        };
        object.description = Some("A webhook to create.".to_owned());
        object.properties.shift_remove("version");
        object.required = REQUIRED.map(str::to_owned).to_vec();
        for name in REQUIRED {
            if let Some(RefOr::T(Schema::Object(field))) = object.properties.get_mut(name)
                && let SchemaType::Array(types) = &field.schema_type
            {
                field.schema_type = types[0].clone().into();
            }
        }
        RefOr::T(object.into())
    }
}

impl ToSchema for NewWebhook {
    fn name() -> std::borrow::Cow<'static, str> {
        "NewWebhook".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        WebhookBody::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(json: &str, draft: &WebhookDraft) -> WebhookDraft {
        let body: WebhookBody = serde_json::from_str(json).unwrap();
        let mut draft = draft.clone();
        body.apply(&mut draft);
        draft
    }

    #[test]
    fn omitted_fields_are_kept_and_null_resets_options() {
        let saved = WebhookDraft {
            url: "https://example.com/".to_owned(),
            description: "old".to_owned(),
            filter: r#"{"all":[]}"#.to_owned(),
            rate_limit: "5".to_owned(),
            timeout_seconds: "9".to_owned(),
            retries: "short".to_owned(),
            headers: vec![HeaderDraft::kept("a"), HeaderDraft::kept("b")],
            ..WebhookDraft::default()
        };
        let differs = |json: &str| -> Vec<_> {
            let changed = applied(json, &saved);
            changed
                .differences(&saved)
                .map(|field| (field.as_str(), changed.in_words(field)))
                .collect()
        };
        assert_eq!(differs("{}"), []);
        assert_eq!(differs(r#"{"url":null,"name":null}"#), []);
        let text = |pairs: &[(&'static str, &str)]| -> Vec<_> {
            pairs
                .iter()
                .map(|(field, words)| (*field, (*words).to_owned()))
                .collect()
        };
        assert_eq!(
            differs(
                r#"{"description":null,"filter":null,"rate_limit":null,"timeout_seconds":null,"retries":null,"headers":null}"#
            ),
            text(&[
                ("description", "none"),
                ("headers", "none"),
                ("filter", "none"),
                ("rate_limit", "none"),
                ("timeout_seconds", "default"),
                ("retries", "standard"),
            ])
        );
        assert_eq!(differs(r#"{"rate_limit":7.0}"#), text(&[("rate_limit", "7")]));
        assert_eq!(
            differs(r#"{"headers":{"A":null,"c":"1","B":"2"}}"#),
            text(&[("headers", "b (new value), c (new value)")])
        );
        // Two spellings of one name are an error of the user, and both are reported.
        assert_eq!(
            differs(r#"{"headers":{"C":"1","c":"2"}}"#),
            text(&[("headers", "a, b, c (new value), c (new value)")])
        );
    }
}
