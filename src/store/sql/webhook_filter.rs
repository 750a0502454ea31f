use crate::{
    domain::{AccountId, WebhookStatus, health},
    store::{WebhookFilter, database::Query, search_key::search_terms},
};

/// Appends the conditions of a filter, except its page. `search` finds parts of whole URLs.
pub(super) fn push_filter(
    query: &mut Query,
    account: &AccountId,
    filter: &WebhookFilter,
    search: Option<&str>,
) {
    query
        .push(" where deleted_at is null and account_id = ")
        .push_bind(account);
    if let Some(search) = search {
        for (index, term) in search_terms(search).iter().enumerate() {
            query
                .push(if index == 0 { " and (" } else { " or " })
                .push("search_text like ")
                .push_bind(format!("%{}%", escape_like(term)))
                .push(r" escape '\'");
        }
        query.push(")");
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
