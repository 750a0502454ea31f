//! `GET /api/v1/audit-log`: the audit log, for export to other systems.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{
    AUDIT_LOG, Api,
    http::{
        Problem,
        caller::{Audit, Caller},
        problem::{CommonErrors, InvalidFields},
        query::{Cursor, Limit, Query},
        rfc3339::Rfc3339,
    },
};
use crate::{
    auth::api_key::AUDIT_READ,
    domain::{AuditCursor, AuditEntry, Principal, UrlVisibility},
    store::AuditFilter,
};

/// An action recorded in the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct AuditEntryView {
    #[schema(examples("aud_01a20ae72a8b7ddd9c57d49eb0a2ff81"))]
    id: String,
    at: Rfc3339,
    /// Email address of the user, or name of the API key.
    #[schema(examples("ada@example.com"))]
    actor: String,
    /// Action, as `noun.verb`.
    #[schema(examples("webhook.updated"))]
    action: String,
    /// Id of the affected resource, or its name if it has no id.
    #[schema(examples("wh_01a20ae72a8b7ddd9c57d49eb0a2ff81"))]
    subject: String,
    /// Current or last known name of the resource.
    #[schema(examples("Orders → CRM"))]
    subject_name: Option<String>,
    /// IP address of the client, or `command line`.
    #[schema(examples("192.0.2.7"))]
    address: Option<String>,
    /// Details of the action. For edits, the changed fields as `before` and `after`. Never contains secrets.
    /// Keys without `webhooks:write` get shortened URLs.
    #[schema(value_type = Option<Object>)]
    details: Option<Box<RawValue>>,
}

/// Entries of the audit log, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditLog {
    entries: Vec<AuditEntryView>,
    /// Cursor of the next page. Absent if there are no older matches.
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
pub(super) struct AuditLogParams {
    /// Only entries of this user (email address) or API key (name).
    actor: Option<String>,
    /// Only entries with this action, such as `webhook.deleted`.
    action: Option<String>,
    /// Only entries for the resource with this id.
    subject: Option<String>,
    /// Only entries at or after this time.
    since: Option<Rfc3339>,
    /// Only entries before this time.
    until: Option<Rfc3339>,
    /// `next_cursor` of the previous page.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<AuditCursor>>,
    /// Maximum number of entries to return.
    #[param(inline)]
    limit: Option<Limit>,
}

/// List audit log entries
///
/// Newest first. To follow the log, poll with `since` set to five minutes before the newest `at` that you have, and
/// skip ids that you already know: `at` is when a change started, but its entry appears when the change completes.
#[utoipa::path(
    get, path = "/audit-log", operation_id = "listAuditLog", tag = AUDIT_LOG,
    security(("bearer" = [AUDIT_READ])), params(AuditLogParams),
    responses((status = 200, description = "One page of entries.", body = AuditLog), InvalidFields, CommonErrors)
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller<Audit>,
    Query(params): Query<AuditLogParams>,
) -> Result<Json<AuditLog>, Problem> {
    let filter = AuditFilter {
        actor: params.actor.as_deref().map(Principal::from_filter),
        action: params.action,
        subject: params.subject,
        since: params.since.map(|at| at.0),
        until: params.until.map(|at| at.0),
        before: params.cursor.map(|cursor| cursor.0),
        limit: params.limit.unwrap_or_default().0,
    };
    let page = api.accounts.of(&caller.account_id).audit_log(&filter).await?;
    Ok(Json(AuditLog {
        entries: page
            .entries
            .into_iter()
            .map(|entry| AuditEntryView::new(entry, caller.url_visibility()))
            .collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}

impl AuditEntryView {
    fn new(entry: AuditEntry, urls: UrlVisibility) -> Self {
        let details = entry.details.map(|details| details.shown(urls));
        let details = details.and_then(|text| RawValue::from_string(text).ok());
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
