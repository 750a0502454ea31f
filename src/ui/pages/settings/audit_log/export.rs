//! `/settings/audit-log/export`: all that fits the filters, as one JSON object a line.

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::{Stream, stream};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    domain::{AccountId, AuditEntry},
    store::{Accounts, AuditFilter, AuditPage, StoreError},
    ui::{
        PageError,
        request::{query::AuditQuery, visit::Visit},
    },
};

/// Entries that are in memory at a time.
const PAGE: u32 = 500;

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

/// Newest first. Page by page, so that neither memory nor a connection is held for all of it: the reader sets the pace.
pub async fn export(visit: Visit) -> Result<Response, PageError> {
    let mut filter = AuditQuery::parse(&visit.query).0;
    filter.limit = PAGE;
    // Before anything is answered: what cannot begin says so by its status.
    let first = visit.account().audit_log(&filter).await?;
    let name = format!("caleida-audit-log-{}.jsonl", &visit.now.rfc3339()[..10]);
    let rest = Rest {
        accounts: visit.ui.accounts.clone(),
        account: visit.user.account_id.clone(),
        filter,
    };
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(rest.after(first))).into_response())
}

struct Rest {
    accounts: Accounts,
    account: AccountId,
    filter: AuditFilter,
}

impl Rest {
    /// An error cuts the answer short, so that nobody takes it for complete.
    fn after(self, first: AuditPage) -> impl Stream<Item = Result<Bytes, StoreError>> {
        stream::try_unfold(Some((self, Some(first))), |state| async move {
            let Some((mut rest, page)) = state else {
                return Ok(None);
            };
            let page = match page {
                Some(page) => page,
                None => rest.accounts.of(&rest.account).audit_log(&rest.filter).await?,
            };
            let text = lines(&page.entries);
            let state = page.next.map(|next| {
                rest.filter.before = Some(next);
                (rest, None)
            });
            Ok(Some((text, state)))
        })
    }
}

fn lines(entries: &[AuditEntry]) -> Bytes {
    let mut text = Vec::new();
    for entry in entries {
        let details = entry.details.as_deref();
        let line = Line {
            id: entry.id.as_str(),
            at: entry.at.rfc3339(),
            actor: entry.actor.to_string(),
            action: &entry.action,
            subject: &entry.subject,
            subject_name: entry.subject_name.as_deref(),
            address: entry.address.as_deref(),
            // One that is no JSON would break its line.
            details: details.and_then(|details| serde_json::from_str(details).ok()),
        };
        if serde_json::to_writer(&mut text, &line).is_ok() {
            text.push(b'\n');
        }
    }
    text.into()
}
