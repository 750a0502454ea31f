//! Deterministic simulation of one webhook and its receiver, which tests [`Share`] and the tables in its documentation.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use super::share::{INITIAL, MAX, Share};
use crate::domain::{FailureReason, Outcome};

const OK: Outcome = Outcome::Answered {
    status: 200,
    retry_after: None,
};
const UNAVAILABLE: Outcome = Outcome::Answered {
    status: 503,
    retry_after: None,
};
const BUSY: Outcome = Outcome::Answered {
    status: 429,
    retry_after: Some(Duration::from_secs(1)),
};
const TIMEOUT: Outcome = Outcome::Failed(FailureReason::Timeout);
const UNREACHABLE: Outcome = Outcome::Failed(FailureReason::Connect);

// The unit of time of the model is one microsecond.
const SECOND: u64 = 1_000_000;
const CLAIM_INTERVAL: u64 = 5_000;
const SEND_DURATION: u64 = 400;

trait Policy {
    fn size(&self) -> usize;
    fn adjust(&mut self, outcome: Outcome);
}

impl Policy for Share {
    fn size(&self) -> usize {
        self.size()
    }

    fn adjust(&mut self, outcome: Outcome) {
        self.adjust(outcome);
    }
}

/// Alternative policy that halves the share at each refusal.
struct Halving {
    size: usize,
    cautious_from: usize,
    successes: usize,
}

impl Default for Halving {
    fn default() -> Self {
        Self {
            size: INITIAL.into(),
            cautious_from: MAX.into(),
            successes: 0,
        }
    }
}

impl Policy for Halving {
    fn size(&self) -> usize {
        self.size
    }

    fn adjust(&mut self, outcome: Outcome) {
        self.successes += 1;
        if outcome != OK {
            self.size = (self.size / 2).max(1);
            self.cautious_from = self.size;
            self.successes = 0;
        } else if self.size < self.cautious_from || self.successes >= self.size {
            self.size = (self.size + 1).min(MAX.into());
            self.successes = 0;
        }
    }
}

#[derive(Clone, Copy)]
enum Receiver {
    /// Refuses this percentage of the calls at random.
    Flaky {
        percent: u64,
        latency: u64,
        refusal: Outcome,
    },
    /// Refuses calls in excess of this number in flight. The others take 20 ms.
    Limited { in_flight: usize },
    /// Refuses calls in excess of this number per second.
    RateLimited { per_second: u64 },
}

impl Receiver {
    fn flaky(percent: u64) -> Self {
        Self::Flaky {
            percent,
            latency: 2_000,
            refusal: UNAVAILABLE,
        }
    }

    fn refusal(self) -> Outcome {
        match self {
            Self::Flaky { refusal, .. } => refusal,
            Self::Limited { .. } | Self::RateLimited { .. } => UNAVAILABLE,
        }
    }
}

/// Averages over all runs, without the first fifth of each.
#[derive(Default)]
struct Averages {
    share: f64,
    delivered_per_second: f64,
    refused_per_second: f64,
}

/// Number of runs with different random numbers.
const RUNS: u64 = 8;

fn run<P: Policy + Default>(receiver: Receiver) -> Averages {
    let mut averages = Averages::default();
    for number in 1..=RUNS {
        let one = run_once(P::default(), receiver, number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        averages.share += one.share / RUNS as f64;
        averages.delivered_per_second += one.delivered_per_second / RUNS as f64;
        averages.refused_per_second += one.refused_per_second / RUNS as f64;
    }
    averages
}

/// Simulates a minute of sending from an endless backlog.
fn run_once(mut policy: impl Policy, receiver: Receiver, mut random: u64) -> Averages {
    const END: u64 = 60 * SECOND;
    const WARM_UP: u64 = END / 5;
    // Time at which each call in flight ends, and whether it succeeds.
    let mut calls = BinaryHeap::<Reverse<(u64, bool)>>::new();
    let mut sender_free_at = 0;
    let (mut second, mut calls_in_second) = (0, 0);
    let (mut delivered, mut refused, mut sizes) = (0_u32, 0_u32, 0);
    for now in (0..END).step_by(CLAIM_INTERVAL.try_into().unwrap()) {
        while let Some(&Reverse((end, success))) = calls.peek()
            && end <= now
        {
            calls.pop();
            policy.adjust(if success { OK } else { receiver.refusal() });
            if now >= WARM_UP {
                *(if success { &mut delivered } else { &mut refused }) += 1;
            }
        }
        if now >= WARM_UP {
            sizes += policy.size();
        }
        sender_free_at = now.max(sender_free_at);
        while calls.len() < policy.size() && sender_free_at < now + CLAIM_INTERVAL {
            sender_free_at += SEND_DURATION;
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let (accepted, latency) = match receiver {
                Receiver::Flaky { percent, latency, .. } => (random / 1_000 % 100 >= percent, latency),
                Receiver::Limited { in_flight } => {
                    let busy = calls
                        .iter()
                        .filter(|Reverse((end, success))| *success && *end > sender_free_at);
                    let accepted = busy.count() < in_flight;
                    (accepted, if accepted { 20_000 } else { 1_000 })
                }
                Receiver::RateLimited { per_second } => {
                    if second != sender_free_at / SECOND {
                        (second, calls_in_second) = (sender_free_at / SECOND, 0);
                    }
                    calls_in_second += 1;
                    (calls_in_second <= per_second, 5_000)
                }
            };
            calls.push(Reverse((
                sender_free_at + latency + random % (latency / 5),
                accepted,
            )));
        }
    }
    let seconds = ((END - WARM_UP) / SECOND) as f64;
    Averages {
        share: sizes as f64 / ((END - WARM_UP) / CLAIM_INTERVAL) as f64,
        delivered_per_second: f64::from(delivered) / seconds,
        refused_per_second: f64::from(refused) / seconds,
    }
}

/// Returns the lines of the tables in the documentation of [`Share`].
fn tables() -> Vec<String> {
    let both = |receiver| (run::<Share>(receiver), run::<Halving>(receiver));
    let flaky = [0, 1, 5, 15, 25, 50, 90, 100].map(|percent| {
        let (share, halving) = both(Receiver::flaky(percent));
        format!(
            "/// | {percent} % | {:.0} | {:.0} | {:.0} |",
            share.share, share.delivered_per_second, halving.delivered_per_second
        )
    });
    let limited = [2, 4, 8, 16, 32].map(|in_flight| {
        let (share, halving) = both(Receiver::Limited { in_flight });
        format!(
            "/// | {in_flight} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |",
            share.share,
            share.delivered_per_second,
            share.refused_per_second,
            halving.delivered_per_second,
            halving.refused_per_second,
        )
    });
    flaky.into_iter().chain(limited).collect()
}

fn largest() -> Share {
    let mut share = Share::default();
    (0..2 * usize::from(MAX)).for_each(|_| share.adjust(OK));
    assert_eq!(share.size(), usize::from(MAX));
    share
}

#[test]
fn documented_tables_match_the_model() {
    let documented = include_str!("share.rs");
    let tables = tables();
    let complete = tables.iter().all(|line| documented.contains(line));
    assert!(complete, "the tables should be\n{}", tables.join("\n"));
}

#[test]
fn sporadic_refusals_keep_most_of_the_share() {
    for percent in [1, 5, 10, 15, 20] {
        for latency in [2_000, 200_000] {
            let receiver = Receiver::Flaky {
                percent,
                latency,
                refusal: UNAVAILABLE,
            };
            let share = run::<Share>(receiver).share;
            assert!(
                share > 64.0,
                "{share} with {percent} % refused after {latency} µs"
            );
        }
    }
}

#[test]
fn frequent_refusals_leave_a_small_share() {
    for (percent, at_most) in [(50, 8.0), (70, 3.0), (90, 2.0), (100, 1.1)] {
        let share = run::<Share>(Receiver::flaky(percent)).share;
        assert!(share <= at_most, "{share} with {percent} % refused");
    }
}

#[test]
fn retry_after_weighs_more_than_a_plain_refusal() {
    for percent in [5, 10, 15, 20] {
        let [busy, plain] = [BUSY, UNAVAILABLE].map(|refusal| {
            let latency = 2_000;
            let receiver = Receiver::Flaky {
                percent,
                latency,
                refusal,
            };
            run::<Share>(receiver).share
        });
        assert!(busy < plain / 2.0, "{busy} of {plain} with {percent} % refused");
    }
}

#[test]
fn overloaded_receiver_gets_what_it_can_handle() {
    for in_flight in [2, 4, 8, 16, 32] {
        let averages = run::<Share>(Receiver::Limited { in_flight });
        let capacity = in_flight as f64;
        assert!((capacity * 0.5..capacity * 1.1).contains(&averages.share));
        assert!(averages.delivered_per_second > capacity * 20.0);
        assert!(
            averages.refused_per_second < 20.0,
            "{} refused with a capacity of {in_flight}",
            averages.refused_per_second
        );
    }
}

#[test]
fn rate_limit_is_used_and_rarely_exceeded() {
    for per_second in [50, 500, 1_500] {
        let receiver = Receiver::RateLimited { per_second };
        let averages = run::<Share>(receiver);
        let with_halving = run::<Halving>(receiver).refused_per_second;
        assert!(averages.delivered_per_second > 0.95 * per_second as f64);
        assert!(
            averages.refused_per_second < 1.3 * with_halving,
            "{} refused instead of {with_halving}",
            averages.refused_per_second,
        );
    }
}

#[test]
fn receiver_that_is_down_gets_one_call_at_a_time() {
    for refusal in [UNAVAILABLE, BUSY, TIMEOUT, UNREACHABLE] {
        for (mut share, refusals) in [(Share::default(), 12), (largest(), 14)] {
            (0..refusals).for_each(|_| share.adjust(refusal));
            assert_eq!(share.size(), 1, "after {refusals}");
        }
    }
}

#[test]
fn share_grows_again_when_the_receiver_recovers() {
    let mut down = largest();
    (0..20).for_each(|_| down.adjust(UNREACHABLE));
    // After a slow start, the share grows with each success, otherwise with each round of successes.
    for (mut share, successes) in [
        (down, (1..INITIAL).map(usize::from).sum()),
        (Share::slow_start(), 31),
    ] {
        assert_eq!(share.size(), 1);
        (0..successes).for_each(|_| share.adjust(OK));
        assert_eq!(share.size(), usize::from(INITIAL));
    }
}

#[test]
fn isolated_refusals_change_nothing() {
    for refusal in [UNAVAILABLE, TIMEOUT, UNREACHABLE] {
        let mut share = largest();
        for number in 1..5_000 {
            share.adjust(if number % 150 == 0 { refusal } else { OK });
            assert_eq!(share.size(), usize::from(MAX));
        }
    }
}

#[test]
fn failures_unrelated_to_load_change_nothing() {
    let mut share = Share::default();
    (0..100).for_each(|_| share.adjust(Outcome::Failed(FailureReason::Tls)));
    assert_eq!(share, Share::default());
}
