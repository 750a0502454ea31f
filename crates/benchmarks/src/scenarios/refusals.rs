//! Receivers that refuse calls.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::{Bench, per_second};
use crate::{
    receiver::{LIMITED, Receiver},
    report::Report,
    seed,
};

/// Deliveries that are due at the start: more than are sent while calls are counted.
const BACKLOG: u64 = 100_000;

/// Time for the webhook's share to settle before calls are counted.
const WARM_UP: Duration = Duration::from_secs(1);

/// Short enough that refused deliveries are retried while calls are counted.
const RETRY_SCHEDULE: &str = "1s,1s,1s,2s,2s,5s";

/// Calls per second that a receiver answers.
struct Rates {
    delivered: f64,
    refused: f64,
}

impl Bench {
    /// (m) Throughput to a receiver that refuses some calls, whatever the load.
    pub async fn refusals(&self, report: &mut Report) -> anyhow::Result<()> {
        for percentage in [0, 1, 5, 15, 50, 100] {
            let rates = self.rates(&format!("/refuse/{percentage}")).await?;
            let name = format!("m  {percentage} % refused");
            report.rate(name.clone(), rates.delivered, "deliveries/s");
            report.figure(
                format!("{name}: calls"),
                rates.delivered + rates.refused,
                "calls/s",
            );
        }
        Ok(())
    }

    /// (n) What a receiver with a limited capacity sees.
    pub async fn overload(&self, report: &mut Report) -> anyhow::Result<()> {
        for limit in [4, 16, 32] {
            let rates = self.rates(&format!("/limit/{limit}")).await?;
            let name = format!("n  {limit} calls of {} ms at once", LIMITED.as_millis());
            report.rate(name.clone(), rates.delivered, "deliveries/s");
            report.figure(format!("{name}: refused"), rates.refused, "calls/s");
        }
        Ok(())
    }

    async fn rates(&self, path: &str) -> anyhow::Result<Rates> {
        let data = self.data().await?;
        let program = data.start().await?;
        let receiver = Receiver::start()?;
        program.add_webhook("refuses", &receiver.url(path)).await?;
        program.stop()?;
        let database = data.open_database().await?;
        seed::backlog(&database, BACKLOG).await?;
        database.close().await;

        let program = data
            .start_with(&[("CALEIDA_RETRY_SCHEDULE", RETRY_SCHEDULE)])
            .await?;
        tokio::time::sleep(WARM_UP).await;
        let counts = || (receiver.answered(), receiver.refused());
        let ((answered, refused), since) = (counts(), Instant::now());
        tokio::time::sleep(self.scale.refusals).await;
        let (now_answered, now_refused) = counts();
        let took = since.elapsed();
        program.stop()?;
        ensure!(
            now_answered.saturating_sub(now_refused) < BACKLOG,
            "the backlog was used up: seed more"
        );
        let refused = now_refused - refused;
        Ok(Rates {
            delivered: per_second((now_answered - answered).saturating_sub(refused), took),
            refused: per_second(refused, took),
        })
    }
}
