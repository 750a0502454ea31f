//! The filters of the list and of the log, as they stand in the address.
//!
//! What cannot be read is left out instead of refused: an address that somebody cut short still shows a page.

use url::form_urlencoded;

use super::paths;
use crate::{
    domain::{DeliveryStatus, EventType, WebhookId, WebhookStatus},
    store::{DeliveryFilter, WebhookFilter},
};

type Pairs = Vec<(&'static str, String)>;

/// The list's search, filters and page. Every modal keeps it, so that closing one leads back to the same list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery(pub WebhookFilter);

impl ListQuery {
    pub fn parse(query: &str) -> Self {
        let mut filter = WebhookFilter::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            match &*name {
                "q" if !value.is_empty() => filter.search = Some(value.chars().take(200).collect()),
                "event" => filter.event_type = value.parse().ok(),
                "status" => filter.status = WebhookStatus::parse(value),
                "page" => filter.page = value.parse::<u32>().unwrap_or(1).clamp(1, 100_000) - 1,
                _ => {}
            }
        }
        Self(filter)
    }

    pub fn pairs(&self) -> Pairs {
        let WebhookFilter {
            search,
            event_type,
            status,
            page,
        } = &self.0;
        let search = search.clone().map(|text| ("q", text));
        let event = event_type.map(|event| ("event", event.to_string()));
        let status = status.map(|status| ("status", status.as_str().to_owned()));
        let page = (*page > 0).then(|| ("page", (page + 1).to_string()));
        search
            .into_iter()
            .chain(event)
            .chain(status)
            .chain(page)
            .collect()
    }

    /// The address of a screen with this query.
    pub fn on(&self, path: &str) -> String {
        with_query(path, &self.pairs())
    }

    pub fn page(&self, page: u32) -> Self {
        Self(WebhookFilter {
            page,
            ..self.0.clone()
        })
    }

    /// Whether anything narrows the list.
    pub fn is_filtered(&self) -> bool {
        let WebhookFilter {
            search,
            event_type,
            status,
            page: _,
        } = &self.0;
        search.is_some() || event_type.is_some() || status.is_some()
    }
}

/// The log's filters.
#[derive(Debug, Clone, Default)]
pub struct LogQuery(pub DeliveryFilter);

impl LogQuery {
    pub const PAGE_SIZE: u32 = 50;

    pub fn parse(query: &str, webhook_id: Option<WebhookId>) -> Self {
        let mut filter = DeliveryFilter {
            webhook_id,
            limit: Self::PAGE_SIZE,
            ..DeliveryFilter::default()
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            match &*name {
                "status" => filter.status = DeliveryStatus::parse(value),
                "type" => filter.event_type = value.parse().ok(),
                "event" => filter.event_id = value.parse().ok(),
                "before" => filter.before = value.parse().ok(),
                _ => {}
            }
        }
        Self(filter)
    }

    /// The address of this log, with these filters.
    pub fn href(&self) -> String {
        let DeliveryFilter {
            webhook_id,
            status,
            event_type,
            event_id,
            before,
            limit: _,
        } = &self.0;
        let status = status.map(|status| ("status", status.as_str().to_owned()));
        let event_type: Option<EventType> = *event_type;
        let event_type = event_type.map(|event_type| ("type", event_type.to_string()));
        let event_id = event_id.as_ref().map(|id| ("event", id.to_string()));
        let before = before.as_ref().map(|id| ("before", id.to_string()));
        let pairs: Pairs = status
            .into_iter()
            .chain(event_type)
            .chain(event_id)
            .chain(before)
            .collect();
        with_query(&paths::deliveries(webhook_id.as_ref()), &pairs)
    }

    pub fn is_filtered(&self) -> bool {
        let DeliveryFilter {
            status,
            event_type,
            event_id,
            ..
        } = &self.0;
        status.is_some() || event_type.is_some() || event_id.is_some()
    }
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
    fn a_list_query_survives_the_round_trip() {
        for query in [
            "",
            "q=a+%26+b",
            "q=x&event=insight.key&status=paused&page=3",
            "status=failing",
        ] {
            let parsed = ListQuery::parse(query);
            let href = parsed.on("/list");
            assert_eq!(href.strip_prefix("/list").unwrap().trim_start_matches('?'), query);
            assert_eq!(ListQuery::parse(query), parsed);
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let query = ListQuery::parse("q=+&event=nothing&status=asleep&page=0&other=1");
        assert_eq!(query, ListQuery::default());
        assert!(!query.is_filtered());
    }

    #[test]
    fn the_log_keeps_its_filters_while_it_is_paged() {
        let id: WebhookId = "wh_1".parse().unwrap();
        let query = LogQuery::parse("status=failed&type=chat&event=order-7&before=dlv_9", Some(id));
        assert_eq!(
            query.href(),
            "/integrations/webhook/wh_1/deliveries?status=failed&type=chat&event=order-7&before=dlv_9"
        );
    }
}
