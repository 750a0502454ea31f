//! Number of attempts that one webhook may have in flight: a pure policy that maps outcomes to a number.

use crate::domain::{FailureReason, Outcome};

/// Share of a webhook without known outcomes.
pub(super) const INITIAL: u8 = 32;

/// Maximum share. A fast receiver never has this many calls in flight, and a slow one still gets hundreds of calls per
/// second.
pub(super) const MAX: u8 = 128;

/// Outcomes per window, unless the share is larger.
const MIN_WINDOW: u8 = 32;

/// Outcomes per trial, unless the share is larger.
const MIN_TRIAL: u8 = 16;

/// Number of refusals in a row after which the receiver counts as down.
const DOWN_AFTER: u8 = 8;

/// Maximum fraction of refusals that can count as unrelated to the load.
const MAX_TOLERATED: f32 = 0.25;

/// Number of plain refusals that one refusal with `Retry-After` counts as.
///
/// Such a receiver reports that it is overloaded. With four, [`MAX_TOLERATED`] is reached when 6 % of the calls are
/// refused, instead of 25 %.
const RETRY_AFTER_WEIGHT: u16 = 4;

/// Number of attempts that a webhook may have in flight.
///
/// A refusal is a 429, a 503, a timeout or a failed connection. A few refusals have two possible reasons: the load is
/// too high, or some calls fail at any load, for example because one of the receiver's instances is broken. A trial
/// finds the reason: the share halves, and the refusals at half the load decide. If the load is the reason and at most
/// half of the calls are refused, half the load has no refusals.
///
/// | observation | reaction |
/// |---|---|
/// | A window has at most the expected refusals, plus 2.5 standard deviations and one. | Grow with the successes. |
/// | A window has more refusals. | Halve the share. Start a trial after the outcomes of the attempts in flight. |
/// | The trial has less than half of the unexpected refusals. | The load is the reason. Keep the half. |
/// | The trial has more, but at most a quarter of its calls are refused. | The load is not the reason. Restore the share. Expect this fraction of refusals from now on. |
/// | More than a quarter of the trial's calls are refused. | Keep the half. |
/// | 8 calls in a row are refused. | Halve the share at this refusal and at each one that follows. |
///
/// A window is 32 outcomes and a trial 16, or as many as the share if that is more. At the start, no refusals are
/// expected. The expected fraction declines slowly while windows have fewer.
///
/// A share grows by one with each success until the load is too high for the first time, and with each round of
/// successes from then on.
///
/// The result in the model in `model.rs`, for a sender of at most 2,500 calls per second and a receiver that answers
/// after 2 ms. The last column is for a share that halves at each refusal.
///
/// | refused | average share | deliveries/s | deliveries/s with halving |
/// |---|---|---|---|
/// | 0 % | 128 | 2500 | 2500 |
/// | 1 % | 117 | 2474 | 1846 |
/// | 5 % | 121 | 2376 | 996 |
/// | 15 % | 114 | 2126 | 528 |
/// | 25 % | 60 | 1859 | 356 |
/// | 50 % | 6 | 567 | 164 |
/// | 90 % | 1 | 22 | 22 |
/// | 100 % | 1 | 0 | 0 |
///
/// The same for a receiver that refuses calls in excess of its capacity. The others take 20 ms.
///
/// | capacity | average share | deliveries/s | refusals/s | deliveries/s with halving | refusals/s with halving |
/// |---|---|---|---|---|---|
/// | 2 | 2 | 80 | 7 | 80 | 20 |
/// | 4 | 3 | 129 | 9 | 145 | 13 |
/// | 8 | 6 | 238 | 9 | 266 | 8 |
/// | 16 | 12 | 473 | 7 | 503 | 4 |
/// | 32 | 25 | 972 | 6 | 952 | 2 |
///
/// When a receiver stops responding, its share falls to 1 within 12 refusals from 32, and within 14 from 128.
#[derive(Debug, PartialEq)]
pub(super) struct Share {
    size: u8,
    /// Below this size the share grows with each success.
    cautious_from: u8,
    /// Successes since the share last grew.
    successes: u8,
    /// Refusals since the last success.
    consecutive_refusals: u8,
    /// Fraction of refusals that a smaller share did not reduce.
    tolerated: f32,
    window: Window,
    phase: Phase,
}

/// Outcomes since the last decision.
#[derive(Debug, Default, PartialEq)]
struct Window {
    outcomes: u16,
    /// Weighted refusals.
    refusals: u16,
}

#[derive(Debug, PartialEq)]
enum Phase {
    Steady,
    /// The share was halved. The outcomes of attempts that started before still belong to the full share.
    Draining {
        full: u8,
        outstanding: u8,
    },
    /// The outcomes show whether half the share reduces the refusals.
    Trial {
        full: u8,
        refused_at_full: f32,
    },
}

impl Default for Share {
    fn default() -> Self {
        Self {
            size: INITIAL,
            cautious_from: MAX,
            successes: 0,
            consecutive_refusals: 0,
            tolerated: 0.0,
            window: Window::default(),
            phase: Phase::Steady,
        }
    }
}

impl Share {
    /// Returns the share of a webhook that received no calls for a while: one attempt, and more with each success.
    pub(super) fn slow_start() -> Self {
        Self {
            size: 1,
            ..Self::default()
        }
    }

    pub(super) fn size(&self) -> usize {
        self.size.into()
    }

    /// Adjusts the share to the outcome of an attempt.
    ///
    /// A failure that says nothing about the receiver's load changes nothing.
    pub(super) fn adjust(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Answered {
                status: 429 | 503,
                retry_after,
            } => self.refused(retry_after.map_or(1, |_| RETRY_AFTER_WEIGHT)),
            Outcome::Failed(FailureReason::Timeout | FailureReason::Connect) => self.refused(1),
            Outcome::Answered { .. } => self.succeeded(),
            Outcome::Failed(_) => {}
        }
    }

    fn succeeded(&mut self) {
        self.consecutive_refusals = 0;
        self.successes = self.successes.saturating_add(1);
        let quickly = self.size < self.cautious_from && self.window.refusals == 0;
        if self.phase == Phase::Steady && (quickly || self.successes >= self.size) {
            self.size = MAX.min(self.size + 1);
            self.successes = 0;
        }
        self.observe(0);
    }

    fn refused(&mut self, weight: u16) {
        self.consecutive_refusals = self.consecutive_refusals.saturating_add(1);
        if self.consecutive_refusals >= DOWN_AFTER {
            self.halve();
            self.cautious_from = self.size;
            self.enter(Phase::Steady);
        } else {
            self.observe(weight);
        }
    }

    fn observe(&mut self, refusals: u16) {
        self.window.outcomes += 1;
        self.window.refusals += refusals;
        match self.phase {
            Phase::Steady => self.check_window(),
            Phase::Draining { full, outstanding: 1 } => {
                let refused_at_full = self.window.refused();
                self.enter(Phase::Trial {
                    full,
                    refused_at_full,
                });
            }
            Phase::Draining { full, outstanding } => {
                self.phase = Phase::Draining {
                    full,
                    outstanding: outstanding - 1,
                };
            }
            Phase::Trial {
                full,
                refused_at_full,
            } => {
                if self.window.outcomes >= self.size.max(MIN_TRIAL).into() {
                    self.end_trial(full, refused_at_full);
                }
            }
        }
    }

    /// Starts a trial as soon as the refusals exceed what the whole window may have.
    fn check_window(&mut self) {
        let length = self.size.max(MIN_WINDOW);
        let expected = self.tolerated * f32::from(length);
        let limit = expected + 2.5 * expected.sqrt() + 1.0;
        if f32::from(self.window.refusals) > limit && self.size > 1 {
            let full = self.size;
            self.halve();
            self.phase = Phase::Draining {
                full,
                outstanding: full,
            };
        } else if self.window.outcomes >= length.into() {
            let surplus = self.tolerated - self.window.refused();
            // Slowly: a single window has few outcomes, so its fraction is far from exact.
            self.tolerated -= surplus.max(0.0) / 64.0;
            self.window = Window::default();
        }
    }

    fn end_trial(&mut self, full: u8, refused_at_full: f32) {
        let refused = self.window.refused();
        let load_is_the_reason = refused <= f32::midpoint(refused_at_full, self.tolerated);
        if load_is_the_reason || refused > MAX_TOLERATED {
            self.cautious_from = self.size;
        } else {
            self.size = full;
            self.tolerated = refused;
        }
        self.enter(Phase::Steady);
    }

    fn halve(&mut self) {
        self.size = self.size.div_ceil(2);
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.window = Window::default();
        self.successes = 0;
    }
}

impl Window {
    /// Fraction of the outcomes that are refusals.
    fn refused(&self) -> f32 {
        (f32::from(self.refusals) / f32::from(self.outcomes)).min(1.0)
    }
}
