//! How a webhook is: what succeeded, how fast, and what is still to be sent.

use std::time::Duration;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{ObjectBuilder, schema::Type},
};

use crate::{
    api::{
        Api, WEBHOOKS,
        http::{
            Problem,
            caller::{Caller, Read},
            rfc3339::Rfc3339,
            path::Path,
            path_params::WebhookPath,
            problem::{CommonErrors, InvalidFields, NotFound},
            query::Query,
            schema::schemas,
        },
    },
    auth::api_key::WEBHOOKS_READ,
    domain::{Latencies, Timestamp},
    store::{HourOfActivity, OpenDeliveries},
};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// For so long attempts are counted by the hour.
const MOST: u32 = 30 * 24;

/// The attempts of a webhook, counted.
#[derive(Serialize, ToSchema)]
pub(crate) struct Statistics {
    /// The beginning of the first hour that is counted.
    since: Rfc3339,
    #[schema(examples(99))]
    succeeded: u64,
    #[schema(examples(1))]
    failed: u64,
    /// Half of the answers took no longer, in milliseconds.
    #[schema(examples(84))]
    p50_ms: Option<u64>,
    /// 95 % of the answers took no longer, in milliseconds.
    #[schema(examples(200))]
    p95_ms: Option<u64>,
    /// Deliveries that are due, now or later. Together with `held` counted no further than to 10,001.
    #[schema(examples(2))]
    pending: u64,
    /// Deliveries that wait for the webhook to be resumed.
    #[schema(examples(0))]
    held: u64,
    /// The hours in which there were attempts, oldest first.
    by_hour: Vec<HourView>,
}

/// The attempts of an hour.
#[derive(Serialize, ToSchema)]
#[schema(as = Hour)]
struct HourView {
    /// Its beginning.
    hour: Rfc3339,
    #[schema(examples(99))]
    succeeded: u32,
    #[schema(examples(1))]
    failed: u32,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// How many hours to count, the present one included.
    #[param(inline)]
    hours: Option<Hours>,
}

/// 1 to [`MOST`]; a day unless told otherwise.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Hours(u32);

impl Hours {
    const MOST: u32 = MOST;
    const USUAL: u32 = 24;
}

schemas! {
    "Hours" Hours: ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(Hours::MOST))
        .default(Some(Hours::USUAL.into()));
}

impl TryFrom<String> for Hours {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let hours = text.parse().ok().filter(|hours| (1..=MOST).contains(hours));
        hours.map(Self).ok_or("use 1 to 720")
    }
}

/// Show how a webhook is
///
/// Its attempts by hour, how many succeeded, how long the answers took, and how many deliveries are still to be sent.
/// What is counted is kept for 30 days.
#[utoipa::path(
    get, path = "/webhooks/{id}/statistics", operation_id = "showStatistics", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_READ])), params(WebhookPath, Wanted),
    responses((status = 200, description = "The figures.", body = Statistics), InvalidFields, NotFound, CommonErrors)
)]
pub(crate) async fn show(
    State(api): State<Api>,
    caller: Caller<Read>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Statistics>, Problem> {
    let account = api.accounts.of(&caller.account_id);
    let webhook = account.webhook(&id).await?;
    webhook.ok_or_else(Problem::unknown_id::<WebhookPath>)?;
    let hours = wanted.hours.map_or(Hours::USUAL, |hours| hours.0);
    let since = full_hour(api.clock.now()).minus(HOUR * (hours - 1));
    let activity = account.webhook_activity(std::slice::from_ref(&id), since).await?;
    let latencies = account.webhook_latencies(&id, since).await?;
    let open = account.open_deliveries(&id).await?;
    Ok(Json(Statistics::new(since, activity, &latencies, open)))
}

fn full_hour(at: Timestamp) -> Timestamp {
    let hour = i64::try_from(HOUR.as_millis()).expect("an hour is short");
    Timestamp::from_millis(at.as_millis().div_euclid(hour) * hour)
}

impl Statistics {
    fn new(
        since: Timestamp,
        activity: Vec<HourOfActivity>,
        latencies: &Latencies,
        open: OpenDeliveries,
    ) -> Self {
        let percentile = |per_cent| {
            let latency = latencies.percentile(per_cent)?;
            u64::try_from(latency.as_millis()).ok()
        };
        Self {
            since: since.into(),
            succeeded: activity.iter().map(|hour| u64::from(hour.succeeded)).sum(),
            failed: activity.iter().map(|hour| u64::from(hour.failed)).sum(),
            p50_ms: percentile(50),
            p95_ms: percentile(95),
            pending: open.pending,
            held: open.held,
            by_hour: activity.into_iter().map(HourView::from).collect(),
        }
    }
}

impl From<HourOfActivity> for HourView {
    fn from(hour: HourOfActivity) -> Self {
        Self {
            hour: hour.hour.into(),
            succeeded: hour.succeeded,
            failed: hour.failed,
        }
    }
}
