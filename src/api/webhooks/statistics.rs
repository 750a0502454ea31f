//! `GET /api/v1/webhooks/{id}/statistics`: attempts by hour, response times and open deliveries.

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
            path::Path,
            path_params::WebhookPath,
            problem::{CommonErrors, InvalidFields, NotFound},
            query::Query,
            rfc3339::Rfc3339,
            schema::schemas,
        },
    },
    auth::api_key::WEBHOOKS_READ,
    domain::{Latencies, Timestamp},
    store::{HourlyActivity, OpenDeliveries},
};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Maximum number of hours of statistics.
const MAX_HOURS: u32 = 30 * 24;

/// Statistics of a webhook.
#[derive(Serialize, ToSchema)]
pub(crate) struct Statistics {
    /// Start of the first counted hour.
    since: Rfc3339,
    #[schema(examples(99))]
    succeeded: u64,
    #[schema(examples(1))]
    failed: u64,
    /// Median response time, in milliseconds.
    #[schema(examples(84))]
    p50_ms: Option<u64>,
    /// 95th percentile of the response time, in milliseconds.
    #[schema(examples(200))]
    p95_ms: Option<u64>,
    /// Number of pending deliveries. `pending` and `held` together are counted up to 10,001.
    #[schema(examples(2))]
    pending: u64,
    /// Number of deliveries held until the webhook is resumed.
    #[schema(examples(0))]
    held: u64,
    /// Hours with attempts, oldest first.
    by_hour: Vec<HourView>,
}

/// Number of attempts in one hour.
#[derive(Serialize, ToSchema)]
#[schema(as = Hour)]
struct HourView {
    /// Start of the hour.
    hour: Rfc3339,
    #[schema(examples(99))]
    succeeded: u32,
    #[schema(examples(1))]
    failed: u32,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatisticsParams {
    /// Number of hours to count, including the current one.
    #[param(inline)]
    hours: Option<Hours>,
}

/// A number of hours from 1 to [`MAX_HOURS`].
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Hours(u32);

impl Hours {
    const DEFAULT: u32 = 24;
}

schemas! {
    "Hours" Hours: ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(MAX_HOURS))
        .default(Some(Hours::DEFAULT.into()));
}

impl TryFrom<String> for Hours {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let hours = text.parse().ok().filter(|hours| (1..=MAX_HOURS).contains(hours));
        hours.map(Self).ok_or("use 1 to 720")
    }
}

/// Get webhook statistics
///
/// Returns the number of successful and failed attempts by hour, response times, and the number of open deliveries.
/// Covers up to 30 days.
#[utoipa::path(
    get, path = "/webhooks/{id}/statistics", operation_id = "showStatistics", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_READ])), params(WebhookPath, StatisticsParams),
    responses((status = 200, description = "The statistics.", body = Statistics), InvalidFields, NotFound, CommonErrors)
)]
pub(crate) async fn show(
    State(api): State<Api>,
    caller: Caller<Read>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Query(params): Query<StatisticsParams>,
) -> Result<Json<Statistics>, Problem> {
    let account = api.accounts.of(&caller.account_id);
    let webhook = account.webhook(&id).await?;
    webhook.ok_or_else(Problem::unknown_id::<WebhookPath>)?;
    let hours = params.hours.map_or(Hours::DEFAULT, |hours| hours.0);
    let since = start_of_hour(api.clock.now()).minus(HOUR * (hours - 1));
    let activity = account.webhook_activity(std::slice::from_ref(&id), since).await?;
    let latencies = account.webhook_latencies(&id, since).await?;
    let open = account.open_deliveries(&id).await?;
    Ok(Json(Statistics::new(since, activity, &latencies, open)))
}

fn start_of_hour(at: Timestamp) -> Timestamp {
    let hour = i64::try_from(HOUR.as_millis()).expect("an hour in milliseconds fits");
    Timestamp::from_millis(at.as_millis().div_euclid(hour) * hour)
}

impl Statistics {
    fn new(
        since: Timestamp,
        activity: Vec<HourlyActivity>,
        latencies: &Latencies,
        open: OpenDeliveries,
    ) -> Self {
        let percentile = |percent| {
            let latency = latencies.percentile(percent)?;
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

impl From<HourlyActivity> for HourView {
    fn from(hour: HourlyActivity) -> Self {
        Self {
            hour: hour.hour.into(),
            succeeded: hour.succeeded,
            failed: hour.failed,
        }
    }
}
