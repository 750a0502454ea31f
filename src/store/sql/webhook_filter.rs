use crate::{
    domain::{AccountId, WebhookStatus, health},
    store::{WebhookFilter, database::Query},
};

/// Appends the conditions of a filter, except its page.
pub(super) fn push_filter(query: &mut Query, account: &AccountId, filter: &WebhookFilter) {
    query
        .push(" where deleted_at is null and account_id = ")
        .push_bind(account);
    if let Some(search) = &filter.search {
        // PostgreSQL rejects text with NUL. No name or URL contains NUL or its replacement.
        let search = search.to_lowercase().replace('\0', "\u{fffd}");
        let pattern = format!("%{}%", escape_like(&search));
        query.push(" and (lower(name) like ").push_bind(pattern.clone());
        query
            .push(r" escape '\' or lower(url) like ")
            .push_bind(pattern)
            .push(r" escape '\')");
    }
    if let Some(event_type) = filter.event_type {
        // Commas on both sides, so that `chat` does not match a part of another type.
        query
            .push(" and ',' || events || ',' like ")
            .push_bind(format!("%,{event_type},%"));
    }
    match filter.status {
        None => {}
        Some(WebhookStatus::Active) => {
            query.push(" and state = 'active' and recent_failures = 0");
        }
        Some(WebhookStatus::Degraded) => {
            query.push(format!(
                " and state = 'active' and recent_failures <> 0 and not ({})",
                is_failing()
            ));
        }
        Some(WebhookStatus::Failing) => {
            query.push(format!(" and state = 'active' and {}", is_failing()));
        }
        Some(WebhookStatus::Paused) => {
            query.push(" and state = 'paused'");
        }
        Some(WebhookStatus::Disabled) => {
            query.push(" and state = 'disabled'");
        }
    }
}

/// Returns the condition of [`Health::Failing`](health::Health::Failing).
fn is_failing() -> String {
    format!(
        "failing_since is not null and failed_attempts >= {} and last_attempt_at - failing_since >= {}",
        health::FAILING_ATTEMPTS,
        health::FAILING_AFTER.as_millis()
    )
}

/// Escapes the special characters of `like`.
fn escape_like(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}
