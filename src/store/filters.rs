//! Filters of webhooks, evaluated by the caller before a transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::NewEvent;
use crate::domain::{
    AccountId, EventTypes, WebhookId,
    filter::{CompiledFilter, Filter},
};

from_row! {
    /// A webhook with a filter.
    pub struct FilteredWebhook {
        pub id: WebhookId,
        pub version: i64,
        pub events: EventTypes,
        pub filter: Filter,
    }
}

/// Result of all filters for new events. Valid while the webhooks have the same versions.
#[derive(Debug, Default)]
pub struct Evaluation(HashMap<AccountId, BTreeMap<WebhookId, EvaluatedFilter>>);

/// Result of a filter for new events.
#[derive(Debug)]
pub struct EvaluatedFilter {
    /// Version of the webhook.
    version: i64,
    /// Fingerprints of the events that do not match.
    excluded: HashSet<[u8; 32]>,
}

impl EvaluatedFilter {
    pub fn new(version: i64) -> Self {
        Self {
            version,
            excluded: HashSet::new(),
        }
    }

    pub fn exclude(&mut self, event: &NewEvent) {
        self.excluded.insert(event.fingerprint);
    }
}

impl Evaluation {
    /// Returns the results for an account, to add to them.
    pub fn of_account(&mut self, account: &AccountId) -> &mut BTreeMap<WebhookId, EvaluatedFilter> {
        self.0.entry(account.clone()).or_default()
    }

    /// Returns whether exactly these filters of the account were evaluated: those of webhooks with these versions.
    pub(super) fn is_current<'a>(
        &self,
        account: &AccountId,
        filters: impl Iterator<Item = (&'a WebhookId, i64)>,
    ) -> bool {
        let evaluated = self.0.get(account);
        let mut count = 0;
        let all_known = filters.into_iter().all(|(webhook, version)| {
            count += 1;
            evaluated
                .and_then(|filters| filters.get(webhook))
                .is_some_and(|filter| filter.version == version)
        });
        all_known && count == evaluated.map_or(0, BTreeMap::len)
    }

    /// Returns whether the filter of the webhook excludes the event.
    pub(super) fn excludes(&self, account: &AccountId, webhook: &WebhookId, event: &NewEvent) -> bool {
        let filter = self.0.get(account).and_then(|filters| filters.get(webhook));
        filter.is_some_and(|filter| filter.excluded.contains(&event.fingerprint))
    }
}

/// The part of an event's body that filters refer to.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Returns the data in the body of an event, which is the envelope that was built when the event was accepted.
pub fn event_data(payload: &[u8]) -> Option<&RawValue> {
    let body: Body<'_> = serde_json::from_slice(payload).ok()?;
    Some(body.data)
}

/// Returns the part of a filter that excludes an event with this data, in words.
pub fn excluded_by(filter: Option<&Filter>, data: Option<&RawValue>) -> Option<String> {
    CompiledFilter::new(filter?).excluded_by(data?)
}
