//! Response times of the dashboard's pages with large amounts of data.

use std::time::Instant;

use anyhow::{Context, ensure};
use caleida::delivery::sender::plain_client;
use reqwest::{Client, header};

use super::Bench;
use crate::{
    program::{ADMIN_PASSWORD, Program},
    report::Report,
    seed,
};

/// Number of webhooks: the default limit of an account.
const WEBHOOKS: u64 = 1_000;

/// Number of requests per page.
const REQUESTS: usize = 20;

impl Bench {
    /// (l) Requests to each page in sequence, with a thousand webhooks and ten million rows of history.
    pub async fn pages(&self, report: &mut Report) -> anyhow::Result<()> {
        let data = self.data().await?;
        let program = data.start().await?;
        program.stop()?;
        let database = data.open_database().await?;
        seed::webhooks(&database, WEBHOOKS).await?;
        seed::history(&database, self.scale.history, seed::Age::Recent).await?;
        seed::statistics(&database).await?;
        let webhook: String = database.fetch_id("wh_", "webhooks order by id").await?;
        let delivery: String = database
            .fetch_id(
                "dlv_",
                "deliveries where status <> 'new' and status = 'failed' order by id desc",
            )
            .await?;
        database.close().await;

        let program = data.start().await?;
        let browser = Browser::sign_in(&program).await?;
        let middle = format!("dlv_000000000001{:020x}", self.scale.history / 2);
        let webhooks = "/integrations/webhook";
        let log = format!("{webhooks}/deliveries");
        let pages = [
            ("list", webhooks.to_owned()),
            ("list, last page", format!("{webhooks}?page=20")),
            ("list, searched", format!("{webhooks}?q=webhook+99")),
            ("Edit Webhook", format!("{webhooks}/{webhook}")),
            ("deliveries", log.clone()),
            ("deliveries, in the middle", format!("{log}?before={middle}")),
            ("deliveries, failed", format!("{log}?status=failed")),
            ("deliveries, no match", format!("{log}?type=message")),
            (
                "deliveries of one webhook, with statistics",
                format!("{webhooks}/{webhook}/deliveries"),
            ),
            ("one delivery", format!("{log}/{delivery}")),
            ("events", format!("{webhooks}/events")),
            ("events without deliveries", format!("{webhooks}/events?sent=no")),
            ("one event", format!("{webhooks}/events/history-97")),
            (
                "recovery, with a preview",
                format!("{webhooks}/{webhook}/recover?scope=missed"),
            ),
            ("event types", format!("{webhooks}/event-types")),
            ("guide", format!("{webhooks}/guide")),
            ("API", "/api/docs".to_owned()),
            ("account", "/settings/account".to_owned()),
            ("API keys", "/settings/api-keys".to_owned()),
            ("users", "/settings/users".to_owned()),
            ("audit log", "/settings/audit-log".to_owned()),
        ];
        for (name, path) in pages {
            let mut took = browser.measure(&path).await?;
            took.sort_by(f64::total_cmp);
            report.figure(format!("l  {name}, p50"), took[took.len() / 2], "ms");
            report.figure(
                format!("l  {name}, slowest of {REQUESTS}"),
                took[took.len() - 1],
                "ms",
            );
        }
        program.stop()
    }
}

/// HTTP client with the admin's session.
struct Browser {
    client: Client,
    site: String,
    cookie: String,
}

impl Browser {
    async fn sign_in(program: &Program) -> anyhow::Result<Self> {
        let (client, site) = (plain_client()?, program.url());
        let response = client
            .post(format!("{site}/login"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("email=admin%40localhost&password={ADMIN_PASSWORD}"))
            .send()
            .await?;
        let cookie = response
            .headers()
            .get(header::SET_COOKIE)
            .context("sign-in failed")?;
        let cookie = cookie
            .to_str()?
            .split(';')
            .next()
            .context("an empty cookie")?
            .to_owned();
        Ok(Self { client, site, cookie })
    }

    /// Requests a page repeatedly and returns the times until its last byte, in milliseconds.
    async fn measure(&self, path: &str) -> anyhow::Result<Vec<f64>> {
        let mut took = Vec::new();
        for _ in 0..REQUESTS {
            let started = Instant::now();
            let request = self.client.get(format!("{}{path}", self.site));
            let response = request.header(header::COOKIE, &self.cookie).send().await?;
            let status = response.status();
            response.bytes().await?;
            ensure!(status.is_success(), "{path}: {status}");
            took.push(started.elapsed().as_secs_f64() * 1_000.0);
        }
        Ok(took)
    }
}
