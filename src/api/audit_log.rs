//! `GET /api/v1/audit-log`: who did what, for who collects such logs elsewhere.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{
    AUDIT_LOG, Api,
    http::{
        Problem,
        caller::{Audit, Caller},
        rfc3339::Rfc3339,
        problem::{CommonErrors, InvalidFields},
        query::{Cursor, Limit, Query},
    },
};
use crate::{
    auth::api_key::AUDIT_READ,
    domain::{AuditEntry, AuditPlace, Principal},
    store::AuditFilter,
};

/// Something that was done.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct AuditEntryView {
    #[schema(examples("aud_01a20ae72a8b7ddd9c57d49eb0a2ff81"))]
    id: String,
    at: Rfc3339,
    /// An email, or the name of an API key.
    #[schema(examples("ada@example.com"))]
    actor: String,
    /// What was done, as `noun.verb`.
    #[schema(examples("webhook.updated"))]
    action: String,
    /// The id of what it was done to, or a name if it has none.
    #[schema(examples("wh_01a20ae72a8b7ddd9c57d49eb0a2ff81"))]
    subject: String,
    /// What people call it now, or called it last.
    #[schema(examples("Orders → CRM"))]
    subject_name: Option<String>,
    /// Where it was done from: an address, or `command line`.
    #[schema(examples("192.0.2.7"))]
    address: Option<String>,
    /// Of an edit the fields that it changed, as `before` and `after`. Never a secret.
    #[schema(value_type = Option<Object>)]
    details: Option<Box<RawValue>>,
}

/// Entries of the audit log, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditLog {
    entries: Vec<AuditEntryView>,
    /// Where the next page begins. Not there: nothing older can match.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        examples("1795428000000.aud_01a20ae72a8b7ddd9c57d49eb0a2ff81")
    )]
    next_cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only what this email or API key did.
    actor: Option<String>,
    /// Only this, such as `webhook.deleted`.
    action: Option<String>,
    /// Only what was done to this id.
    subject: Option<String>,
    /// Only what was done then or later.
    since: Option<Rfc3339>,
    /// Only what was done earlier.
    until: Option<Rfc3339>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<AuditPlace>>,
    /// How many to answer at most.
    #[param(inline)]
    limit: Option<Limit>,
}

/// List what was done
///
/// Newest first. To follow it, ask now and then with `since` five minutes before the newest `at` that you have, and leave
/// out the ids that you know: an entry has the time at which its change began, and is there when it is done.
#[utoipa::path(
    get, path = "/audit-log", operation_id = "listAuditLog", tag = AUDIT_LOG,
    security(("bearer" = [AUDIT_READ])), params(ListQuery),
    responses((status = 200, description = "A page of it.", body = AuditLog), InvalidFields, CommonErrors)
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller<Audit>,
    Query(query): Query<ListQuery>,
) -> Result<Json<AuditLog>, Problem> {
    let filter = AuditFilter {
        actor: query.actor.as_deref().map(Principal::from_filter),
        action: query.action,
        subject: query.subject,
        since: query.since.map(|moment| moment.0),
        until: query.until.map(|moment| moment.0),
        before: query.cursor.map(|cursor| cursor.0),
        limit: query.limit.unwrap_or_default().0,
    };
    let page = api.accounts.of(&caller.account_id).audit_log(&filter).await?;
    Ok(Json(AuditLog {
        entries: page.entries.into_iter().map(AuditEntryView::from).collect(),
        next_cursor: page.next.map(|place| place.to_string()),
    }))
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        let details = entry.details.and_then(|text| RawValue::from_string(text).ok());
        Self {
            id: entry.id.into(),
            at: entry.at.into(),
            actor: entry.actor.to_string(),
            action: entry.action,
            subject: entry.subject,
            subject_name: entry.subject_name,
            address: entry.address,
            details,
        }
    }
}
