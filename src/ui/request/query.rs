//! The filters of lists, as query parameters.
//!
//! An invalid value of a filter matches nothing: ignoring it would show entries that do not match. Unknown parameters and
//! invalid positions are ignored, so that a truncated URL still shows a page.

mod audit;
mod invalid;

use url::form_urlencoded;

pub use self::{audit::AuditQuery, invalid::InvalidValues};
use crate::{
    domain::{EndpointUrl, Timestamp, WebhookId, text::normalize},
    store::{DeliveryFilter, EventFilter, WebhookFilter},
    ui::paths,
};

type Pairs = Vec<(&'static str, String)>;

/// Search, filters and page of the webhook list. Dialogs keep them, so that closing a dialog returns to the same list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    pub filter: WebhookFilter,
    pub invalid: InvalidValues,
}

/// Maximum length of a search in characters. Nothing is longer than a URL, so a longer search finds nothing either way.
const MAX_SEARCH: usize = EndpointUrl::MAX_LENGTH + 1;

impl ListQuery {
    pub fn parse(query: &str) -> Self {
        let mut this = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let (value, filter, invalid) = (value.trim(), &mut this.filter, &mut this.invalid);
            match &*name {
                "q" if !value.is_empty() => {
                    let search: String = normalize(value).chars().take(MAX_SEARCH).collect();
                    filter.search = Some(search.trim_end().to_owned());
                }
                "event" => filter.event_type = invalid.parse("event", value),
                "status" => filter.status = invalid.parse("status", value),
                "page" => filter.page = value.parse::<u32>().unwrap_or(1).clamp(1, 100_000) - 1,
                _ => {}
            }
        }
        this
    }

    pub fn pairs(&self) -> Pairs {
        let WebhookFilter {
            search,
            event_type,
            status,
            page,
            urls: _,
            before: _,
            limit: _,
        } = &self.filter;
        let pairs = [
            ("q", search.clone()),
            ("event", event_type.map(|event| event.to_string())),
            ("status", status.map(|status| status.as_str().to_owned())),
            ("page", (*page > 0).then(|| (page + 1).to_string())),
        ];
        present_pairs(pairs, &self.invalid)
    }

    /// Returns the URL of a page with this query.
    pub fn href(&self, path: &str) -> String {
        with_query(path, &self.pairs())
    }

    pub fn with_page(&self, page: u32) -> Self {
        Self {
            filter: WebhookFilter {
                page,
                ..self.filter.clone()
            },
            invalid: self.invalid.clone(),
        }
    }

    /// Returns whether a filter is set.
    pub fn is_filtered(&self) -> bool {
        let WebhookFilter {
            search,
            event_type,
            status,
            urls: _,
            page: _,
            before: _,
            limit: _,
        } = &self.filter;
        search.is_some() || event_type.is_some() || status.is_some() || self.invalid.match_nothing()
    }
}

/// Filters of the delivery log.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    pub filter: DeliveryFilter,
    pub invalid: InvalidValues,
    /// True for the log of a single webhook. False for the log of all webhooks, which can be filtered by webhook.
    pub single_webhook: bool,
}

impl LogQuery {
    pub const PAGE_SIZE: u32 = 50;

    pub fn parse(query: &str, webhook_id: Option<WebhookId>) -> Self {
        let mut this = Self {
            invalid: InvalidValues::default(),
            single_webhook: webhook_id.is_some(),
            filter: DeliveryFilter {
                webhook_id,
                limit: Self::PAGE_SIZE,
                ..DeliveryFilter::default()
            },
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let (value, filter, invalid) = (value.trim(), &mut this.filter, &mut this.invalid);
            match &*name {
                "status" => filter.status = invalid.parse("status", value),
                "type" => filter.event_type = invalid.parse("type", value),
                "event" => filter.event_id = invalid.parse("event", value),
                "webhook" if !this.single_webhook => filter.webhook_id = invalid.parse("webhook", value),
                "since" => filter.since = invalid.parse_time("since", value),
                "until" => filter.until = invalid.parse_time("until", value),
                "before" => filter.before = value.parse().ok(),
                _ => {}
            }
        }
        this
    }

    /// Returns the URL of this log with these filters.
    pub fn href(&self) -> String {
        let DeliveryFilter {
            webhook_id,
            status,
            event_type,
            event_id,
            since,
            until,
            before,
            limit: _,
        } = &self.filter;
        let webhook = webhook_id.as_ref().filter(|_| !self.single_webhook);
        let pairs = [
            ("status", status.map(|status| status.as_str().to_owned())),
            ("type", event_type.map(|event_type| event_type.to_string())),
            ("event", event_id.as_ref().map(ToString::to_string)),
            ("webhook", webhook.map(ToString::to_string)),
            ("since", since.map(format_timestamp)),
            ("until", until.map(format_timestamp)),
            ("before", before.as_ref().map(ToString::to_string)),
        ];
        with_query(&self.path(), &present_pairs(pairs, &self.invalid))
    }

    /// Returns the URL of this log without filters.
    pub fn path(&self) -> String {
        paths::deliveries(self.filter.webhook_id.as_ref().filter(|_| self.single_webhook))
    }

    pub fn is_filtered(&self) -> bool {
        let DeliveryFilter {
            webhook_id,
            status,
            event_type,
            event_id,
            since,
            until,
            before: _,
            limit: _,
        } = &self.filter;
        status.is_some()
            || event_type.is_some()
            || event_id.is_some()
            || (webhook_id.is_some() && !self.single_webhook)
            || since.is_some()
            || until.is_some()
            || self.invalid.match_nothing()
    }
}

/// Filters of the event list.
#[derive(Debug, Clone, Default)]
pub struct EventsQuery {
    pub filter: EventFilter,
    pub invalid: InvalidValues,
}

impl EventsQuery {
    pub fn parse(query: &str) -> Self {
        let mut this = Self {
            filter: EventFilter {
                limit: LogQuery::PAGE_SIZE,
                ..EventFilter::default()
            },
            invalid: InvalidValues::default(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let (value, filter, invalid) = (value.trim(), &mut this.filter, &mut this.invalid);
            match &*name {
                "type" => filter.event_type = invalid.parse("type", value),
                "sent" => {
                    let unsent = invalid.parse_with("sent", value, |value| (value == "no").then_some(()));
                    filter.unsent = unsent.is_some();
                }
                "since" => filter.since = invalid.parse_time("since", value),
                "until" => filter.until = invalid.parse_time("until", value),
                "before" => filter.before = value.parse().ok(),
                _ => {}
            }
        }
        this
    }

    pub fn href(&self) -> String {
        let EventFilter {
            event_type,
            unsent,
            since,
            until,
            before,
            limit: _,
        } = &self.filter;
        let pairs = [
            ("type", event_type.map(|event_type| event_type.to_string())),
            ("sent", unsent.then(|| "no".to_owned())),
            ("since", since.map(format_timestamp)),
            ("until", until.map(format_timestamp)),
            ("before", before.as_ref().map(ToString::to_string)),
        ];
        with_query(paths::EVENTS, &present_pairs(pairs, &self.invalid))
    }

    pub fn is_filtered(&self) -> bool {
        let EventFilter {
            event_type,
            unsent,
            since,
            until,
            before: _,
            limit: _,
        } = &self.filter;
        event_type.is_some() || *unsent || since.is_some() || until.is_some() || self.invalid.match_nothing()
    }
}

/// Parses a time in a URL: `2026-11-23T10:00:00Z`. URLs hold UTC, so that they mean the same to all users.
/// [`clean_query`](super::clean_query) converts the local time of form fields.
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text)
}

/// Formats a time for a URL, without fractions of a second.
pub fn format_timestamp(at: Timestamp) -> String {
    let text = at.rfc3339();
    text.split_once('.')
        .map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// Returns the parameters that have a value, valid or not.
fn present_pairs<const N: usize>(
    pairs: [(&'static str, Option<String>); N],
    invalid: &InvalidValues,
) -> Pairs {
    let present = pairs.into_iter().filter_map(|(name, value)| {
        let value = value.or_else(|| invalid.get(name).map(ToOwned::to_owned))?;
        Some((name, value))
    });
    present.collect()
}

fn with_query(path: &str, pairs: &Pairs) -> String {
    if pairs.is_empty() {
        return path.to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_query_round_trips() {
        for query in [
            "",
            "q=a+%26+b",
            "q=x&event=insight.key&status=paused&page=3",
            "status=failing",
        ] {
            let parsed = ListQuery::parse(query);
            let href = parsed.href("/list");
            assert_eq!(href.strip_prefix("/list").unwrap().trim_start_matches('?'), query);
            assert_eq!(ListQuery::parse(query), parsed);
        }
    }

    #[test]
    fn empty_and_unknown_parameters_are_ignored() {
        let query = ListQuery::parse("q=+&event=&status=+&page=0&other=1");
        assert_eq!(query, ListQuery::default());
        assert!(!query.is_filtered());
    }

    #[test]
    fn invalid_values_match_nothing_and_stay_in_the_url() {
        for query in [
            "status=asleep",
            "event=nothing&status=active&page=2",
            "q=x&event=Chat",
        ] {
            let parsed = ListQuery::parse(query);
            assert!(parsed.invalid.match_nothing() && parsed.is_filtered(), "{query}");
            assert_eq!(parsed.href("/list"), format!("/list?{query}"));
        }
        for query in [
            "status=done",
            "type=chats",
            "event=order.17",
            "webhook=order",
            "since=yesterday",
            "status=failed&until=2026-13-01",
        ] {
            let parsed = LogQuery::parse(query, None);
            assert!(parsed.invalid.match_nothing() && parsed.is_filtered(), "{query}");
            assert_eq!(parsed.href(), format!("{}?{query}", paths::DELIVERIES));
        }
        for query in ["type=chats", "sent=yes", "since=1"] {
            let parsed = EventsQuery::parse(query);
            assert!(parsed.invalid.match_nothing() && parsed.is_filtered(), "{query}");
            assert_eq!(parsed.href(), format!("{}?{query}", paths::EVENTS));
        }
        // The last value of a parameter counts.
        assert!(
            !LogQuery::parse("status=done&status=failed", None)
                .invalid
                .match_nothing()
        );
        assert!(
            LogQuery::parse("status=failed&status=done", None)
                .invalid
                .match_nothing()
        );
    }

    #[test]
    fn log_query_round_trips() {
        let id: WebhookId = "wh_00000000000000000000000000000001".parse().unwrap();
        let filters = "status=failed&type=chat&event=order-7&since=2026-11-23T10%3A00%3A00Z&until=2026-11-23T10%3A00%3A30Z\
                       &before=dlv_00000000000000000000000000000009";
        let query = LogQuery::parse(filters, Some(id));
        assert_eq!(
            query.href(),
            format!("/integrations/webhook/wh_00000000000000000000000000000001/deliveries?{filters}")
        );
        let all_webhooks = LogQuery::parse("webhook=wh_00000000000000000000000000000002", None);
        assert_eq!(
            all_webhooks.href(),
            "/integrations/webhook/deliveries?webhook=wh_00000000000000000000000000000002"
        );
        assert!(all_webhooks.is_filtered());
    }

    #[test]
    fn events_query_round_trips() {
        let filters = "type=chat&sent=no&since=2026-11-23T10%3A00%3A00Z&before=1795428000000.17";
        let query = EventsQuery::parse(filters);
        assert_eq!(query.href(), format!("/integrations/webhook/events?{filters}"));
        assert!(!EventsQuery::parse("before=evt_1").is_filtered());
    }
}
