//! Trying a filter with recent events, before it is saved.

use super::{Actor, Webhooks};
use crate::{
    domain::{
        EventTypes, ReceivedEvent,
        filter::{Advice, CompiledFilter, Filter},
    },
    store::StoreError,
};

/// Number of events that a preview examines.
const EXAMINED_EVENTS: u32 = 200;

/// What a filter does with the newest events.
#[derive(Debug, Clone)]
pub struct FilterPreview {
    /// Events that are sent.
    pub matching: Vec<ReceivedEvent>,
    /// Events that are not sent, each with the part of the filter that excludes it, in words.
    pub others: Vec<(ReceivedEvent, String)>,
    pub advice: Vec<Advice>,
}

impl Webhooks {
    /// Tries a filter with the newest events of these types.
    pub async fn preview_filter(
        &self,
        actor: &Actor,
        types: &EventTypes,
        filter: &Filter,
    ) -> Result<FilterPreview, StoreError> {
        let compiled = CompiledFilter::new(filter);
        let account = self.store.of(&actor.account_id);
        let tried = account.try_filter(types, &compiled, EXAMINED_EVENTS).await?;
        let mut preview = FilterPreview {
            matching: Vec::new(),
            others: Vec::new(),
            advice: filter.advise(types),
        };
        for (event, excluded_by) in tried {
            match excluded_by {
                None => preview.matching.push(event),
                Some(condition) => preview.others.push((event, condition)),
            }
        }
        Ok(preview)
    }
}
