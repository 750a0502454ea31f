//! What the engine counts. Everything is looked up once, when a process starts: an event that passes only adds.

use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use strum::VariantArray;

use crate::domain::{Attempt, DeliveryId, EventType, FailureReason, Outcome};

/// Cheap to clone; the clones count together.
#[derive(Clone)]
pub struct Metrics {
    accepted: [Counter; EventType::VARIANTS.len()],
    attempts: [Counter; OUTCOMES],
    attempt_seconds: Histogram,
    first_attempt_seconds: Histogram,
}

/// A name and its value: nothing that a publisher or a receiver may choose, so their number is bounded.
type Label = [(&'static str, &'static str); 1];

/// What an answer is counted as, by the hundreds of its status code.
const ANSWERS: [&str; 5] = ["delivered", "http_3xx", "http_4xx", "http_5xx", "http_other"];

const OUTCOMES: usize = ANSWERS.len() + FailureReason::VARIANTS.len();

/// Up to the longest time that one attempt may be given.
const ATTEMPT_SECONDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
];

/// From an attempt that begins at once to one that waited behind a long backlog.
const WAITING_SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0,
];

impl Metrics {
    pub fn register(registry: &mut Registry) -> Self {
        let (accepted, attempts) = (
            Family::<Label, Counter>::default(),
            Family::<Label, Counter>::default(),
        );
        let metrics = Self {
            accepted: std::array::from_fn(|place| {
                accepted.get_or_create_owned(&[("type", EventType::VARIANTS[place].as_str())])
            }),
            attempts: outcomes().map(|outcome| attempts.get_or_create_owned(&[("outcome", outcome)])),
            attempt_seconds: Histogram::new(ATTEMPT_SECONDS),
            first_attempt_seconds: Histogram::new(WAITING_SECONDS),
        };
        registry.register(
            "caleida_events_accepted",
            "Events that were stored, by type; repetitions are not counted",
            accepted,
        );
        registry.register(
            "caleida_delivery_attempts",
            "Attempts that have ended, by what came of them",
            attempts,
        );
        registry.register(
            "caleida_delivery_attempt_seconds",
            "How long attempts took",
            metrics.attempt_seconds.clone(),
        );
        registry.register(
            "caleida_event_to_first_attempt_seconds",
            "From an event's acceptance to its first attempt, for each webhook",
            metrics.first_attempt_seconds.clone(),
        );
        metrics
    }

    pub(super) fn accepted(&self, event_type: EventType) {
        self.accepted[event_type as usize].inc();
    }

    pub(super) fn attempted(&self, delivery: &DeliveryId, attempt: &Attempt) {
        self.attempts[place(attempt.outcome)].inc();
        self.attempt_seconds.observe(attempt.duration.as_secs_f64());
        if attempt.number == 1 {
            let waited = attempt.started_at.since(delivery.made_at());
            self.first_attempt_seconds.observe(waited.as_secs_f64());
        }
    }
}

impl Default for Metrics {
    /// Counts for nobody.
    fn default() -> Self {
        Self::register(&mut Registry::default())
    }
}

fn outcomes() -> [&'static str; OUTCOMES] {
    std::array::from_fn(|place| {
        ANSWERS
            .get(place)
            .copied()
            .unwrap_or_else(|| FailureReason::VARIANTS[place - ANSWERS.len()].as_str())
    })
}

/// Of an outcome among [`outcomes`].
fn place(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Answered { status, .. } => match status {
            200..=299 => 0,
            300..=399 => 1,
            400..=499 => 2,
            500..=599 => 3,
            _ => 4,
        },
        Outcome::Failed(reason) => ANSWERS.len() + reason as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_the_name_that_the_log_has() {
        for &reason in FailureReason::VARIANTS {
            assert_eq!(outcomes()[place(Outcome::Failed(reason))], reason.as_str());
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
            assert_eq!(outcomes()[place(outcome)], name);
        }
    }

    #[test]
    fn every_type_has_a_place_of_its_own() {
        for (place, &event_type) in EventType::VARIANTS.iter().enumerate() {
            assert_eq!(event_type as usize, place);
        }
    }
}
