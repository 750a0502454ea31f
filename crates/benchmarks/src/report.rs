//! Results: printed as they are measured, and saved together.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use serde_json::json;

use crate::machine::cores;

#[derive(Default)]
pub struct Report {
    figures: Vec<Figure>,
    by_name: BTreeMap<&'static str, f64>,
}

struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    ratio: Option<f64>,
}

/// Step of sending: POSTs to the receiver, of which other rates are shares.
pub const LIMIT: &str = "CPU of a bare POST";
pub const LIFECYCLE: &str = "CPU of a delivery in the database";
pub const PUBLISH: &str = "CPU of a bare publish request";
const LIMIT_RATE: &str = "limit rate";
const END_TO_END: &str = "end to end rate";

impl Report {
    pub fn figure(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.add(name.into(), value, unit, None);
    }

    /// Adds a rate per second, also as a share of the limit.
    pub fn rate(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        let ratio = self.by_name.get(LIMIT_RATE).map(|limit| value / limit);
        self.add(name.into(), value, unit, ratio);
    }

    pub fn limit(&mut self, rate: f64) {
        self.by_name.insert(LIMIT_RATE, rate);
        self.rate("a  limit: bare signed POSTs, 64 in flight", rate, "/s");
    }

    /// Adds an end-to-end rate: events published, sent and recorded.
    pub fn end_to_end(&mut self, name: &str, rate: f64) {
        self.by_name.entry(END_TO_END).or_insert(rate);
        self.rate(name, rate, "deliveries/s");
    }

    /// Adds the cost of a step, in CPU seconds per thousand.
    pub fn cost(&mut self, step: &'static str, per_thousand: f64) {
        self.by_name.insert(step, per_thousand);
        self.figure(format!("   {step}"), per_thousand, "CPU-s per 1,000");
    }

    /// Prints the rate that all cores could reach if a delivery cost only the three steps.
    pub fn print_bound(&mut self) {
        let cost: Option<f64> = [LIMIT, LIFECYCLE, PUBLISH]
            .iter()
            .map(|step| self.by_name.get(step))
            .sum();
        if let Some(cost) = cost {
            let bound = 1_000.0 * cores() / cost;
            self.rate("   BOUND: all cores, only the three steps", bound, "deliveries/s");
            if let Some(rate) = self.by_name.get(END_TO_END) {
                self.figure("c  end to end, of BOUND", rate / bound, "×");
            }
        }
    }

    pub fn known_end_to_end(&self) -> Option<f64> {
        self.by_name.get(END_TO_END).copied()
    }

    fn add(&mut self, name: String, value: f64, unit: &'static str, ratio: Option<f64>) {
        let share = ratio.map_or(String::new(), |ratio| {
            format!("{:>6.1} % of limit", ratio * 100.0)
        });
        println!("{name:<58} {:>12} {unit:<16}{share}", rounded(value));
        self.figures.push(Figure {
            name: name.trim().to_owned(),
            value,
            unit,
            ratio,
        });
    }

    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let figures: Vec<_> = self
            .figures
            .iter()
            .map(|figure| {
                json!({
                    "metric": figure.name, "value": figure.value, "unit": figure.unit,
                    "ratio_to_limit": figure.ratio,
                })
            })
            .collect();
        let report = json!({ "cores": cores(), "figures": figures });
        Ok(fs::write(path, serde_json::to_vec_pretty(&report)?)?)
    }
}

/// Formats a number with three significant digits.
fn rounded(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Returns the p50, p99 and p99.9 of latencies in milliseconds.
pub fn percentiles(mut latencies: Vec<Duration>) -> [f64; 3] {
    latencies.sort_unstable();
    [500, 990, 999].map(|per_mille| {
        let index = (latencies.len() * per_mille / 1_000).min(latencies.len().saturating_sub(1));
        latencies
            .get(index)
            .map_or(f64::NAN, |latency| latency.as_secs_f64() * 1_000.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_unsorted_latencies() {
        let latencies = (1..=1_000).rev().map(Duration::from_millis).collect();
        assert_eq!(percentiles(latencies), [501.0, 991.0, 1_000.0]);
        assert_eq!(percentiles(vec![Duration::from_millis(7)]), [7.0; 3]);
    }
}
