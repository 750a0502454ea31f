//! Several processes on one database.

use std::time::{Duration, Instant};

use super::{Bench, deliver, per_second};
use crate::{
    program::{Data, Program},
    receiver::Receiver,
    report::Report,
    seed,
};

const PROCESSES: [usize; 3] = [1, 2, 4];

impl Bench {
    /// (k) Rates with one, two and four processes.
    pub async fn processes(&self, report: &mut Report) -> anyhow::Result<()> {
        for (target, all) in [("all", true), ("the first", false)] {
            for count in PROCESSES {
                let data = self.data().await?;
                let (programs, receiver) = self.start_processes(&data, count).await?;
                let targets: Vec<_> = programs.iter().take(if all { count } else { 1 }).collect();
                let rate = deliver(&targets, &receiver, 0..self.scale.shared, 1).await?;
                let name = format!("k  {count} processes, published to {target}");
                report.rate(name, rate, "deliveries/s");
                programs.into_iter().try_for_each(Program::stop)?;
            }
        }
        let mut single = None;
        for count in PROCESSES {
            let rate = self.slow_backlog(count).await?;
            let name = format!("k  {count} processes, a receiver of 200 ms");
            report.rate(name, rate, "deliveries/s");
            let ratio = rate / *single.get_or_insert(rate);
            if count > 1 {
                report.figure(format!("k  {count} processes, relative to one"), ratio, "×");
            }
        }
        Ok(())
    }

    async fn start_processes(&self, data: &Data, count: usize) -> anyhow::Result<(Vec<Program>, Receiver)> {
        let (first, receiver) = self.start_with_webhooks(data, 1).await?;
        let mut programs = vec![first];
        while programs.len() < count {
            programs.push(data.start().await?);
        }
        Ok((programs, receiver))
    }

    /// Returns the rate at which this many processes send a backlog of one webhook to a slow receiver.
    async fn slow_backlog(&self, count: usize) -> anyhow::Result<f64> {
        // Time until the webhook has its maximum share of slots in each process.
        const WARM_UP: Duration = Duration::from_secs(2);
        const MEASURED: Duration = Duration::from_secs(3);
        const BACKLOG: u64 = 25_000;
        let data = self.data().await?;
        let program = data.start().await?;
        let receiver = Receiver::start()?;
        program.add_webhook("slow", &receiver.url("/slow")).await?;
        program.stop()?;
        let database = data.open_database().await?;
        seed::backlog(&database, BACKLOG).await?;
        database.close().await;

        let mut programs = Vec::new();
        for _ in 0..count {
            programs.push(data.start().await?);
        }
        tokio::time::sleep(WARM_UP).await;
        let (before, since) = (receiver.answered(), Instant::now());
        tokio::time::sleep(MEASURED).await;
        let rate = per_second(receiver.answered() - before, since.elapsed());
        programs.into_iter().try_for_each(Program::stop)?;
        Ok(rate)
    }
}
