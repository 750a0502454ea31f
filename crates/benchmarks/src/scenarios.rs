//! Scenarios, named by the letters in `README.md`.

mod pages;
mod processes;
mod rejections;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::ensure;
use serde_json::json;

use crate::{
    database::Source,
    driver::{self, PUBLISHERS},
    program::{Data, Program},
    receiver::Receiver,
    report::{Report, percentiles},
    seed::{self, Age},
};

/// Amounts of data and durations of the scenarios.
pub struct Scale {
    pub limit_posts: u64,
    pub limit_rows: u64,
    pub events: u64,
    pub steadily: Duration,
    pub backlog: u64,
    pub drain: Duration,
    pub history: u64,
    pub expired: u64,
    /// Events for several processes.
    pub shared: u64,
    /// Duration of counting calls to a receiver that rejects some of them.
    pub rejections: Duration,
}

impl Scale {
    pub const FULL: Self = Self {
        limit_posts: 200_000,
        limit_rows: 100_000,
        events: 60_000,
        steadily: Duration::from_secs(10),
        backlog: 1_000_000,
        drain: Duration::from_secs(10),
        history: 3_333_333,
        expired: 300_000,
        shared: 20_000,
        rejections: Duration::from_secs(3),
    };
    pub const QUICK: Self = Self {
        limit_posts: 60_000,
        limit_rows: 20_000,
        events: 15_000,
        steadily: Duration::from_secs(3),
        backlog: 50_000,
        drain: Duration::from_secs(3),
        history: 100_000,
        expired: 50_000,
        shared: 6_000,
        rejections: Duration::from_secs(1),
    };
}

pub struct Bench {
    pub program: PathBuf,
    pub source: Source,
    pub scale: Scale,
}

impl Bench {
    async fn data(&self) -> anyhow::Result<Data> {
        Data::new(&self.program, &self.source).await
    }

    /// (b) Publish requests without webhooks: the cost of accepting events.
    pub async fn publishing(&self, report: &mut Report) -> anyhow::Result<()> {
        let data = self.data().await?;
        let program = data.start().await?;
        let took = driver::publish(&[program.target()], 0..self.scale.events, PUBLISHERS).await?;
        report.rate(
            "b  durable publish requests, 64 publishers",
            per_second(self.scale.events, took),
            "/s",
        );
        program.stop()
    }

    /// (c) and (e) From the first publish request to the last recorded attempt.
    pub async fn end_to_end(&self, report: &mut Report) -> anyhow::Result<()> {
        for webhooks in [1, 10] {
            let data = self.data().await?;
            let (program, receiver) = self.start_with_webhooks(&data, webhooks).await?;
            let deliveries = self.scale.events / webhooks * webhooks;
            let cpu = self.cpu_times(&program)?;
            let rate = deliver(&[&program], &receiver, 0..deliveries / webhooks, webhooks).await?;
            let plural = if webhooks == 1 { "" } else { "s" };
            report.end_to_end(&format!("c  end to end, {webhooks} webhook{plural}"), rate);
            for ((process, after), (_, before)) in self.cpu_times(&program)?.into_iter().zip(cpu) {
                let cost = (after - before).as_secs_f64() / deliveries as f64 * 1_000.0;
                report.figure(format!("e  CPU time of {process}"), cost, "CPU-s per 1,000");
            }
            report.figure(
                "e  peak memory of the server",
                megabytes(program.peak_memory()?),
                "MB",
            );
            program.stop()?;
            self.report_activity(report, deliveries).await?;
            self.report_claims(report, "c ").await?;
        }
        Ok(())
    }

    /// (o) Like (c) with ten webhooks, of which five have a filter and headers, relative to ten without. Both are measured
    /// twice, in the order A B B A, because the speed of the machine drifts.
    pub async fn options(&self, report: &mut Report) -> anyhow::Result<()> {
        const WEBHOOKS: u64 = 10;
        let mut rates = [Vec::new(), Vec::new()];
        for with_options in [0, 1, 1, 0] {
            let data = self.data().await?;
            let program = data.start().await?;
            let receiver = Receiver::start()?;
            for index in 0..WEBHOOKS {
                let mut settings = json!({});
                if with_options == 1 && index % 2 == 0 {
                    settings = json!({
                        "headers": { "authorization": format!("Bearer {}", "x".repeat(64)), "x-tenant": "7" },
                        "filter": { "all": [
                            { "field": "number", "op": "gt", "value": -1 },
                            { "any": [
                                { "field": "channel", "op": "eq", "value": "email" },
                                { "field": "visitor.country", "op": "missing" },
                            ] },
                        ] },
                    });
                }
                let url = receiver.url(&format!("/ok/{index}"));
                program
                    .add_webhook_with(&format!("webhook {index}"), &url, settings)
                    .await?;
            }
            let events = self.scale.events / WEBHOOKS;
            rates[with_options].push(deliver(&[&program], &receiver, 0..events, WEBHOOKS).await?);
            program.stop()?;
        }
        let [without, with] = rates.map(|rates| rates.iter().sum::<f64>() / rates.len() as f64);
        report.rate("o  end to end, 10 webhooks", without, "deliveries/s");
        report.rate("o  the same, 5 with filter and headers", with, "deliveries/s");
        report.figure("o  relative to the rate without", with / without, "×");
        Ok(())
    }

    /// Returns the CPU time of the server, and of PostgreSQL if it is used.
    fn cpu_times(&self, program: &Program) -> anyhow::Result<Vec<(&'static str, Duration)>> {
        let mut times = vec![("the server", program.cpu_time()?)];
        if let Some(cluster) = self.source.cluster() {
            times.push(("PostgreSQL", cluster.cpu_time()?));
        }
        Ok(times)
    }

    /// Reports transactions and statements per delivery, if PostgreSQL is used.
    async fn report_activity(&self, report: &mut Report, deliveries: u64) -> anyhow::Result<()> {
        if let Some(cluster) = self.source.cluster() {
            let activity = cluster.activity().await?;
            let per_delivery = |count: i64| count as f64 / deliveries as f64;
            report.figure(
                "c  transactions",
                per_delivery(activity.transactions),
                "per delivery",
            );
            report.figure("c  statements", per_delivery(activity.statements), "per delivery");
        }
        Ok(())
    }

    async fn report_claims(&self, report: &mut Report, letter: &str) -> anyhow::Result<()> {
        if let Some(cluster) = self.source.cluster() {
            let activity = cluster.activity().await?;
            let mean = activity.milliseconds_of_claims / activity.claims as f64;
            let name = format!("{letter} claim in PostgreSQL, mean of {}", activity.claims);
            report.figure(name, mean, "ms");
        }
        Ok(())
    }

    /// (d) Latency from the start of a publish request to the arrival at the receiver.
    pub async fn latency(&self, report: &mut Report) -> anyhow::Result<()> {
        let half = report.known_end_to_end().map(|rate| rate / 2.0);
        for (rate, name) in [(Some(50.0), "at 50/s"), (half, "at half of (c)")] {
            let Some(rate) = rate else { continue };
            let data = self.data().await?;
            let (program, receiver) = self.start_with_webhooks(&data, 1).await?;
            let latencies = self.latencies(&program, &receiver, rate).await?;
            report_latencies(report, &format!("d  event to receiver, {name}"), latencies);
            program.stop()?;
        }
        Ok(())
    }

    /// (h) Latency of ten webhooks, and of nine while the tenth never responds.
    pub async fn one_hangs(&self, report: &mut Report) -> anyhow::Result<()> {
        let mut p99 = Vec::new();
        for hanging in [0, 1] {
            let data = self.data().await?;
            let program = data.start().await?;
            let receiver = Receiver::start()?;
            for index in 0..10 {
                let path = if index < hanging { "/hang" } else { "/ok" };
                program
                    .add_webhook(
                        &format!("webhook {index}"),
                        &receiver.url(&format!("{path}/{index}")),
                    )
                    .await?;
            }
            let latencies = self.latencies(&program, &receiver, 50.0).await?;
            p99.push(percentiles(latencies.clone())[1]);
            let name = format!("h  ten webhooks at 50/s, {hanging} hanging");
            report_latencies(report, &name, latencies);
            program.stop()?;
        }
        report.figure("h  p99 of the others with one hanging", p99[1] / p99[0], "×");
        Ok(())
    }

    /// (i) Receivers that take 200 ms: the rate depends on concurrency.
    pub async fn slow_receivers(&self, report: &mut Report) -> anyhow::Result<()> {
        for webhooks in [1, 4, 16] {
            let data = self.data().await?;
            let program = data.start().await?;
            let receiver = Receiver::start()?;
            for index in 0..webhooks {
                let url = receiver.url(&format!("/slow/{index}"));
                program.add_webhook(&format!("webhook {index}"), &url).await?;
            }
            let rate = deliver(&[&program], &receiver, 0..400, webhooks).await?;
            report.rate(
                format!("i  receivers of 200 ms, {webhooks}"),
                rate,
                "deliveries/s",
            );
            program.stop()?;
        }
        Ok(())
    }

    /// (f) A start with a backlog.
    pub async fn backlog(&self, report: &mut Report) -> anyhow::Result<()> {
        let data = self.data().await?;
        let (program, receiver) = self.start_with_webhooks(&data, 1).await?;
        program.stop()?;
        let database = data.open_database().await?;
        seed::backlog(&database, self.scale.backlog).await?;
        database.close().await;

        let started = Instant::now();
        let program = data.start().await?;
        while receiver.answered() == 0 {
            ensure!(started.elapsed() < Duration::from_secs(60), "nothing was sent");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let count = self.scale.backlog;
        report.figure(
            format!("f  {count} pending: start to first attempt"),
            started.elapsed().as_secs_f64() * 1_000.0,
            "ms",
        );
        let (before, since) = (receiver.answered(), Instant::now());
        tokio::time::sleep(self.scale.drain).await;
        let rate = per_second(receiver.answered() - before, since.elapsed());
        report.rate(format!("f  {count} pending: drain rate"), rate, "deliveries/s");
        report.figure(
            format!("f  {count} pending: peak memory"),
            megabytes(program.peak_memory()?),
            "MB",
        );
        program.stop()
    }

    /// (g) Like (c) with one webhook, on a database with history.
    pub async fn history(&self, report: &mut Report) -> anyhow::Result<()> {
        let rows = self.scale.history * 3;
        let (rate, _) = self.with_history(self.scale.history, Age::Recent).await?;
        report.rate(
            format!("g  end to end, {rows} rows of history"),
            rate,
            "deliveries/s",
        );
        self.report_claims(report, "g ").await?;
        if let Some(empty) = report.known_end_to_end() {
            report.figure("g  relative to the rate without history", rate / empty, "×");
        }
        Ok(())
    }

    /// (j) Like (c) with one webhook, while retention deletes expired events.
    pub async fn retention(&self, report: &mut Report) -> anyhow::Result<()> {
        let (rate, left) = self.with_history(self.scale.expired, Age::Old).await?;
        ensure!(left > 0, "everything was deleted before the end: seed more");
        report.rate(
            "j  end to end, while old events are deleted",
            rate,
            "deliveries/s",
        );
        let deleted = self.scale.expired - left;
        report.figure("j  events deleted meanwhile", deleted as f64, "events");
        if let Some(calm) = report.known_end_to_end() {
            report.figure("j  relative to the rate without retention", rate / calm, "×");
        }
        Ok(())
    }

    /// Returns the rate of (c) with one webhook on a database with this many old events, and how many of these remain.
    async fn with_history(&self, events: u64, age: Age) -> anyhow::Result<(f64, u64)> {
        let data = self.data().await?;
        let (program, receiver) = self.start_with_webhooks(&data, 1).await?;
        program.stop()?;
        let database = data.open_database().await?;
        seed::history(&database, events, age).await?;
        database.close().await;

        let program = data.start().await?;
        let rate = deliver(&[&program], &receiver, 0..self.scale.events, 1).await?;
        program.stop()?;
        let left = seed::remaining_history(&data.open_database().await?).await?;
        Ok((rate, left))
    }

    /// Starts a server with webhooks whose receiver responds immediately.
    async fn start_with_webhooks(&self, data: &Data, webhooks: u64) -> anyhow::Result<(Program, Receiver)> {
        let program = data.start().await?;
        let receiver = Receiver::start()?;
        for index in 0..webhooks {
            let url = receiver.url(&format!("/ok/{index}"));
            program.add_webhook(&format!("webhook {index}"), &url).await?;
        }
        Ok((program, receiver))
    }

    async fn latencies(
        &self,
        program: &Program,
        receiver: &Receiver,
        per_second: f64,
    ) -> anyhow::Result<Vec<Duration>> {
        // The first requests also open connections and fill caches.
        const WARM_UP: u64 = 100;
        driver::publish(&[program.target()], 0..WARM_UP, 4).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        receiver.take_arrivals();
        let begun =
            driver::publish_steadily(&program.target(), WARM_UP, per_second, self.scale.steadily).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let arrivals = receiver.take_arrivals();
        ensure!(arrivals.len() >= begun.len(), "not every event arrived in time");
        Ok(arrivals
            .into_iter()
            .filter_map(|(number, at)| {
                let index = usize::try_from(number.checked_sub(WARM_UP)?).ok()?;
                Some(at.duration_since(*begun.get(index)?))
            })
            .collect())
    }
}

/// Publishes events to the servers in turn and returns the deliveries per second until all are recorded.
async fn deliver(
    programs: &[&Program],
    receiver: &Receiver,
    events: std::ops::Range<u64>,
    webhooks: u64,
) -> anyhow::Result<f64> {
    const TIMEOUT: Duration = Duration::from_secs(120);
    let deliveries = (events.end - events.start) * webhooks;
    let targets: Vec<_> = programs.iter().map(|program| program.target()).collect();
    let (before, started) = (receiver.answered(), Instant::now());
    driver::publish(&targets, events, PUBLISHERS).await?;
    while receiver.answered() - before < deliveries {
        ensure!(started.elapsed() < TIMEOUT, "not everything was delivered");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    programs[0].wait_until_idle(TIMEOUT).await?;
    Ok(per_second(deliveries, started.elapsed()))
}

fn report_latencies(report: &mut Report, name: &str, latencies: Vec<Duration>) {
    let [p50, p99, p999] = percentiles(latencies);
    for (percentile, value) in [("p50", p50), ("p99", p99), ("p99.9", p999)] {
        report.figure(format!("{name}, {percentile}"), value, "ms");
    }
}

fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}
