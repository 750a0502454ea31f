//! Evaluates the filters of webhooks for new events, before the transaction that stores the events.
//!
//! The compiled filters of an account are kept until the store reports that others are in effect. Accounts without
//! filters have no entry, and the bodies of their events are not parsed.

use std::collections::{BTreeMap, HashMap};

use crate::{
    domain::{AccountId, EventTypes, WebhookId, filter::CompiledFilter},
    store::{EvaluatedFilter, Evaluation, Store, StoreError, Submission, event_data},
};

/// The filters of accounts with events.
#[derive(Default)]
pub(super) struct Filters(HashMap<AccountId, BTreeMap<WebhookId, Versioned>>);

struct Versioned {
    version: i64,
    events: EventTypes,
    filter: CompiledFilter,
}

impl Filters {
    /// Reads the filters of accounts again.
    pub(super) async fn reload(&mut self, store: &Store, accounts: &[AccountId]) -> Result<(), StoreError> {
        for account in accounts {
            let filters = store.of(account).filters().await?.into_iter();
            let compiled = filters.map(|webhook| {
                let versioned = Versioned {
                    version: webhook.version,
                    events: webhook.events,
                    filter: CompiledFilter::new(&webhook.filter),
                };
                (webhook.id, versioned)
            });
            let compiled: BTreeMap<_, _> = compiled.collect();
            if compiled.is_empty() {
                self.0.remove(account);
            } else {
                self.0.insert(account.clone(), compiled);
            }
        }
        Ok(())
    }

    pub(super) fn evaluate(&self, submissions: &[Submission]) -> Evaluation {
        let mut evaluation = Evaluation::default();
        if self.0.is_empty() {
            return evaluation;
        }
        for submission in submissions {
            let Some(filters) = self.0.get(&submission.account_id) else {
                continue;
            };
            let evaluated = evaluation.of_account(&submission.account_id);
            for (webhook, Versioned { version, .. }) in filters {
                evaluated
                    .entry(webhook.clone())
                    .or_insert_with(|| EvaluatedFilter::new(*version));
            }
            for event in &submission.events {
                let mut subscribed = filters
                    .iter()
                    .filter(|(_, webhook)| webhook.events.contains(event.event_type))
                    .peekable();
                // The body is parsed only for a webhook that is subscribed.
                let data = subscribed.peek().and_then(|_| event_data(&event.payload));
                let Some(data) = data else { continue };
                for (webhook, Versioned { filter, .. }) in subscribed {
                    if !filter.matches(data)
                        && let Some(evaluated) = evaluated.get_mut(webhook)
                    {
                        evaluated.exclude(event);
                    }
                }
            }
        }
        evaluation
    }
}
