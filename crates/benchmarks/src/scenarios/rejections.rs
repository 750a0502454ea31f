//! Receivers that reject calls.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::{Bench, per_second};
use crate::{
    receiver::{LIMITED, Receiver},
    report::Report,
    seed,
};

/// Number of deliveries due at the start: more than are sent while calls are counted.
const BACKLOG: u64 = 100_000;

/// Time for the webhook's share to settle before calls are counted.
const WARM_UP: Duration = Duration::from_secs(1);

/// Short enough that rejected deliveries are retried while calls are counted.
const RETRY_SCHEDULE: &str = "1s,1s,1s,2s,2s,5s";

/// Calls per second, by response.
struct Rates {
    delivered: f64,
    rejected: f64,
}

impl Bench {
    /// (m) Throughput to a receiver that rejects some calls at random, independent of the load.
    pub async fn rejections(&self, report: &mut Report) -> anyhow::Result<()> {
        for percentage in [0, 1, 5, 15, 50, 100] {
            let rates = self.rates(&format!("/reject/{percentage}")).await?;
            let name = format!("m  {percentage} % rejected");
            report.rate(name.clone(), rates.delivered, "deliveries/s");
            report.figure(
                format!("{name}: calls"),
                rates.delivered + rates.rejected,
                "calls/s",
            );
        }
        Ok(())
    }

    /// (n) Throughput to a receiver with limited capacity.
    pub async fn overload(&self, report: &mut Report) -> anyhow::Result<()> {
        for limit in [4, 16, 32] {
            let rates = self.rates(&format!("/limit/{limit}")).await?;
            let name = format!("n  {limit} concurrent calls of {} ms", LIMITED.as_millis());
            report.rate(name.clone(), rates.delivered, "deliveries/s");
            report.figure(format!("{name}: rejected"), rates.rejected, "calls/s");
        }
        Ok(())
    }

    async fn rates(&self, path: &str) -> anyhow::Result<Rates> {
        let data = self.data().await?;
        let program = data.start().await?;
        let receiver = Receiver::start()?;
        program.add_webhook("rejects", &receiver.url(path)).await?;
        program.stop()?;
        let database = data.open_database().await?;
        seed::backlog(&database, BACKLOG).await?;
        database.close().await;

        let program = data
            .start_with(&[("CALEIDA_RETRY_SCHEDULE", RETRY_SCHEDULE)])
            .await?;
        tokio::time::sleep(WARM_UP).await;
        let counts = || (receiver.answered(), receiver.rejected());
        let ((answered, rejected), since) = (counts(), Instant::now());
        tokio::time::sleep(self.scale.rejections).await;
        let (now_answered, now_rejected) = counts();
        let took = since.elapsed();
        program.stop()?;
        ensure!(
            now_answered.saturating_sub(now_rejected) < BACKLOG,
            "the backlog was used up: seed more"
        );
        let rejected = now_rejected - rejected;
        Ok(Rates {
            delivered: per_second((now_answered - answered).saturating_sub(rejected), took),
            rejected: per_second(rejected, took),
        })
    }
}
