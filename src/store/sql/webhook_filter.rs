use crate::{
    domain::{AccountId, WebhookStatus},
    store::{WebhookFilter, database::Query},
};

/// All that narrows a list of webhooks, but its page.
pub(super) fn push_filter(query: &mut Query, account: &AccountId, filter: &WebhookFilter) {
    query
        .push(" where deleted_at is null and account_id = ")
        .push_bind(account);
    if let Some(search) = &filter.search {
        // No text here holds a NUL, and PostgreSQL refuses to look for one: what stands for it is not found either.
        let search = search.to_lowercase().replace('\0', "\u{fffd}");
        let pattern = format!("%{}%", escape_like(&search));
        query.push(" and (lower(name) like ").push_bind(pattern.clone());
        query
            .push(r" escape '\' or lower(url) like ")
            .push_bind(pattern)
            .push(r" escape '\')");
    }
    if let Some(event_type) = filter.event_type {
        // The commas on both sides keep `chat` from matching the end of another type.
        query
            .push(" and ',' || events || ',' like ")
            .push_bind(format!("%,{event_type},%"));
    }
    query.push(match filter.status {
        None => "",
        Some(WebhookStatus::Active) => " and state = 'active' and failing_since is null",
        Some(WebhookStatus::Failing) => " and state = 'active' and failing_since is not null",
        Some(WebhookStatus::Paused) => " and state = 'paused'",
        Some(WebhookStatus::Disabled) => " and state = 'disabled'",
    });
}

/// Makes the signs that mean something to `like` mean themselves.
fn escape_like(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}
