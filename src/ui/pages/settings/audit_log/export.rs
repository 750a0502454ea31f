//! `/settings/audit-log/export`: all entries that match the filters, as JSON Lines.

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::{Stream, stream};
use serde::Serialize;
use serde_json::value::RawValue;

use super::load;
use crate::{
    domain::{AccountId, AuditEntry, UrlVisibility},
    store::{Accounts, AuditFilter, AuditPage, StoreError},
    ui::{
        PageError,
        request::{context::RequestContext, query::AuditQuery},
    },
};

/// Number of entries that are read, and kept in memory, at a time.
const PAGE_SIZE: u32 = 500;

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    at: String,
    actor: String,
    action: &'a str,
    subject: &'a str,
    subject_name: Option<&'a str>,
    address: Option<&'a str>,
    details: Option<&'a RawValue>,
}

/// Exports the entries, newest first. The response is streamed page by page at the pace of the client: it needs little
/// memory and holds no database connection between pages.
pub async fn export(ctx: RequestContext) -> Result<Response, PageError> {
    let mut query = AuditQuery::parse(&ctx.query);
    query.filter.limit = PAGE_SIZE;
    // Read before the response starts, so that a failure still has an error status.
    let first = load(&ctx.account(), &query).await?;
    let name = format!("caleida-audit-log-{}.jsonl", &ctx.now.rfc3339()[..10]);
    let remaining = RemainingPages {
        accounts: ctx.ui.accounts.clone(),
        account: ctx.user.account_id.clone(),
        filter: query.filter,
        urls: ctx.url_visibility(),
    };
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(remaining.stream(first))).into_response())
}

struct RemainingPages {
    accounts: Accounts,
    account: AccountId,
    filter: AuditFilter,
    urls: UrlVisibility,
}

impl RemainingPages {
    /// Streams the first page and all pages after it. An error aborts the response, so that it does not look complete.
    fn stream(self, first: AuditPage) -> impl Stream<Item = Result<Bytes, StoreError>> {
        stream::try_unfold(Some((self, Some(first))), |state| async move {
            let Some((mut remaining, page)) = state else {
                return Ok(None);
            };
            let page = match page {
                Some(page) => page,
                None => {
                    remaining
                        .accounts
                        .of(&remaining.account)
                        .audit_log(&remaining.filter)
                        .await?
                }
            };
            let text = lines(&page.entries, remaining.urls);
            let state = page.next.map(|next| {
                remaining.filter.before = Some(next);
                (remaining, None)
            });
            Ok(Some((text, state)))
        })
    }
}

fn lines(entries: &[AuditEntry], urls: UrlVisibility) -> Bytes {
    let mut text = Vec::new();
    for entry in entries {
        let details = entry.details.as_ref().map(|details| details.shown(urls));
        let line = Line {
            id: entry.id.as_str(),
            at: entry.at.rfc3339(),
            actor: entry.actor.to_string(),
            action: &entry.action,
            subject: &entry.subject,
            subject_name: entry.subject_name.as_deref(),
            address: entry.address.as_deref(),
            // Invalid JSON would break the line, so it is left out.
            details: details
                .as_deref()
                .and_then(|details| serde_json::from_str(details).ok()),
        };
        if serde_json::to_writer(&mut text, &line).is_ok() {
            text.push(b'\n');
        }
    }
    text.into()
}
