//! Metrics of the engine. All counters are looked up once at startup, so that an event only increments them.

use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use strum::VariantArray;

use crate::domain::{Attempt, DeliveryId, EventType, FailureReason, Outcome};

/// Counters and histograms of the engine. Cheap to clone. Clones share their values.
#[derive(Clone)]
pub struct Metrics {
    accepted: [Counter; EventType::VARIANTS.len()],
    attempts: [Counter; OUTCOME_COUNT],
    attempt_seconds: Histogram,
    first_attempt_seconds: Histogram,
}

/// Name and value of a label. Values are never chosen by publishers or receivers, so their number is bounded.
type Label = [(&'static str, &'static str); 1];

/// Outcomes of attempts with a response, by the class of the status code.
const RESPONSE_OUTCOMES: [&str; 5] = ["delivered", "http_3xx", "http_4xx", "http_5xx", "http_other"];

const OUTCOME_COUNT: usize = RESPONSE_OUTCOMES.len() + FailureReason::VARIANTS.len();

/// Buckets for the duration of an attempt.
const ATTEMPT_SECONDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
];

/// Buckets for the time from an event to its first attempt, which is long behind a backlog.
const FIRST_ATTEMPT_SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0,
];

impl Metrics {
    pub fn register(registry: &mut Registry) -> Self {
        let (accepted, attempts) = (
            Family::<Label, Counter>::default(),
            Family::<Label, Counter>::default(),
        );
        let metrics = Self {
            accepted: std::array::from_fn(|index| {
                accepted.get_or_create_owned(&[("type", EventType::VARIANTS[index].as_str())])
            }),
            attempts: outcomes().map(|outcome| attempts.get_or_create_owned(&[("outcome", outcome)])),
            attempt_seconds: Histogram::new(ATTEMPT_SECONDS),
            first_attempt_seconds: Histogram::new(FIRST_ATTEMPT_SECONDS),
        };
        registry.register(
            "caleida_events_accepted",
            "Events stored, by type. Repeated events are not counted",
            accepted,
        );
        registry.register(
            "caleida_delivery_attempts",
            "Finished delivery attempts, by outcome",
            attempts,
        );
        registry.register(
            "caleida_delivery_attempt_seconds",
            "Duration of delivery attempts in seconds",
            metrics.attempt_seconds.clone(),
        );
        registry.register(
            "caleida_event_to_first_attempt_seconds",
            "Time from the acceptance of an event to its first attempt at each webhook, in seconds",
            metrics.first_attempt_seconds.clone(),
        );
        metrics
    }

    pub(super) fn accepted(&self, event_type: EventType) {
        self.accepted[event_type as usize].inc();
    }

    pub(super) fn attempted(&self, delivery: &DeliveryId, attempt: &Attempt) {
        self.attempts[index(attempt.outcome)].inc();
        self.attempt_seconds.observe(attempt.duration.as_secs_f64());
        if attempt.number == 1 {
            let waited = attempt.started_at.since(delivery.created_at());
            self.first_attempt_seconds.observe(waited.as_secs_f64());
        }
    }
}

impl Default for Metrics {
    /// Creates metrics that are not exported.
    fn default() -> Self {
        Self::register(&mut Registry::default())
    }
}

/// Returns the label value of each outcome.
fn outcomes() -> [&'static str; OUTCOME_COUNT] {
    std::array::from_fn(|index| {
        RESPONSE_OUTCOMES
            .get(index)
            .copied()
            .unwrap_or_else(|| FailureReason::VARIANTS[index - RESPONSE_OUTCOMES.len()].as_str())
    })
}

/// Returns the index of an outcome in [`outcomes`].
fn index(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Answered { status, .. } => match status {
            200..=299 => 0,
            300..=399 => 1,
            400..=499 => 2,
            500..=599 => 3,
            _ => 4,
        },
        Outcome::Failed(reason) => RESPONSE_OUTCOMES.len() + reason as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_have_the_names_of_the_log() {
        for &reason in FailureReason::VARIANTS {
            assert_eq!(outcomes()[index(Outcome::Failed(reason))], reason.as_str());
        }
        for (status, name) in [
            (204, "delivered"),
            (301, "http_3xx"),
            (404, "http_4xx"),
            (503, "http_5xx"),
            (999, "http_other"),
        ] {
            let outcome = Outcome::Answered {
                status,
                retry_after: None,
            };
            assert_eq!(outcomes()[index(outcome)], name);
        }
    }

    #[test]
    fn event_types_match_their_indexes() {
        for (index, &event_type) in EventType::VARIANTS.iter().enumerate() {
            assert_eq!(event_type as usize, index);
        }
    }
}
