//! Who sees which part of a webhook's URL.
//!
//! The URLs of Slack, Teams and many others contain a token: who knows the URL can post. So only callers that may change
//! webhooks see whole URLs. The others see a shortened form:
//!
//! | URL | shortened |
//! |---|---|
//! | `https://example.com/` | `https://example.com/` |
//! | `https://hooks.slack.com/services/T0/B0/x` | `https://hooks.slack.com/services/…` |
//! | `https://example.com:8443/x?sig=y` | `https://example.com:8443/…?…` |

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::{Position, Url};

use super::Role;

/// The part of URLs that a caller sees. The default is the safe one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UrlVisibility {
    /// For callers that may change webhooks.
    Full,
    #[default]
    Shortened,
}

impl UrlVisibility {
    pub fn of_role(role: Role) -> Self {
        Self::of_editor(role >= Role::Admin)
    }

    /// Returns the visibility for a caller that may change webhooks, or may not.
    pub fn of_editor(may_edit: bool) -> Self {
        if may_edit { Self::Full } else { Self::Shortened }
    }
}

/// First segments of a path that are shown. A list, because a heuristic would show tokens that look like words, such as
/// a topic of ntfy.
const SHOWN_SEGMENTS: [&str; 25] = [
    "api",
    "callback",
    "callbacks",
    "event",
    "events",
    "function",
    "functions",
    "hook",
    "hooks",
    "inbound",
    "incoming",
    "integration",
    "integrations",
    "notifications",
    "public",
    "services",
    "trigger",
    "triggers",
    "v1",
    "v2",
    "v3",
    "webhook",
    "webhookb2",
    "webhooks",
    "workflows",
];

/// Shorter parts of a URL are not hidden in responses: they are too short for a token, and would match by chance.
const MIN_HIDDEN_LENGTH: usize = 6;

const ELLIPSIS: &str = "…";

/// Returns the URL with scheme, host and port, the first segment of its path if it is a common word, and `…` for the rest
/// of the path and for the query.
pub(super) fn shorten(url: &Url) -> String {
    let (shown, hidden) = split_path(url);
    format!(
        "{}://{}{shown}{}{}",
        url.scheme(),
        &url[Position::BeforeHost..Position::BeforePath],
        if hidden.is_empty() { "" } else { ELLIPSIS },
        if url.query().is_some() { "?…" } else { "" },
    )
}

/// Replaces the hidden parts of a URL in a text by `…`. Receivers often repeat the path, as in `Cannot POST /…`.
pub(super) fn hide_in<'a>(url: &Url, text: &'a str) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for part in hidden_parts(url) {
        if text.contains(&part) {
            text = Cow::Owned(text.replace(&part, ELLIPSIS));
        }
    }
    text
}

/// Splits the path into the part that is shown and the one that is hidden.
fn split_path(url: &Url) -> (&str, &str) {
    let path = url.path();
    let after_slash = path.strip_prefix('/').unwrap_or_default();
    let segment = after_slash.split('/').next().unwrap_or_default();
    let shown = if SHOWN_SEGMENTS.contains(&segment) {
        // With both slashes.
        segment.len() + 2
    } else {
        1
    };
    path.split_at(shown.min(path.len()))
}

/// Returns the texts that a response must not contain, the longest first.
fn hidden_parts(url: &Url) -> Vec<String> {
    let hidden = split_path(url).1;
    let query = url.query().unwrap_or_default();
    let values = query.split(['&', '=']);
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let spaced = |part: &str| decoded(&part.replace('+', " "));
    let mut parts: Vec<String> = [hidden, query]
        .into_iter()
        .chain(hidden.split('/'))
        .chain(values)
        .flat_map(|part| [part.to_owned(), decoded(part), spaced(part)])
        .filter(|part| part.chars().count() >= MIN_HIDDEN_LENGTH)
        .collect();
    parts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    parts.dedup();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Url {
        Url::parse(url).unwrap()
    }

    #[test]
    fn shortened_urls_contain_no_tokens() {
        for (url, shortened) in [
            ("https://example.com", "https://example.com/"),
            ("https://example.com/hook", "https://example.com/hook"),
            ("https://example.com/hooks/", "https://example.com/hooks/"),
            ("https://example.com/crm", "https://example.com/…"),
            ("https://example.com//hooks/x", "https://example.com/…"),
            ("https://example.com/?", "https://example.com/?…"),
            (
                "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXX",
                "https://hooks.slack.com/services/…",
            ),
            (
                "https://discord.com/api/webhooks/1234567890/aBc-dEf_9",
                "https://discord.com/api/…",
            ),
            (
                "https://acme.webhook.office.com/webhookb2/0f0@0e0/IncomingWebhook/abc/def",
                "https://acme.webhook.office.com/webhookb2/…",
            ),
            (
                "https://prod-1.westeurope.logic.azure.com:443/workflows/0a1b/triggers/manual/paths/invoke?api-version=1&sig=x",
                "https://prod-1.westeurope.logic.azure.com/workflows/…?…",
            ),
            (
                "https://hooks.zapier.com/hooks/catch/123/abc/",
                "https://hooks.zapier.com/hooks/…",
            ),
            ("https://ntfy.sh/my-alerts", "https://ntfy.sh/…"),
            (
                "https://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage",
                "https://api.telegram.org/…",
            ),
            (
                "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t",
                "https://chat.googleapis.com/v1/…?…",
            ),
            ("https://example.com/hunter2/hooks", "https://example.com/…"),
            ("https://example.com/hooksecret", "https://example.com/…"),
            ("https://example.com/api;token=x", "https://example.com/…"),
            ("https://example.com/%61pi/x", "https://example.com/…"),
            ("https://me:pw@example.com/hook", "https://example.com/hook"),
            ("https://bücher.example/straße", "https://xn--bcher-kva.example/…"),
            ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/…"),
            ("http://127.0.0.1:4040/hook?a", "http://127.0.0.1:4040/hook?…"),
        ] {
            assert_eq!(shorten(&parse(url)), shortened, "{url}");
        }
    }

    #[test]
    fn hidden_parts_are_replaced_in_responses() {
        let url = parse("https://example.com/services/T0/s%20cr%2Fet?sig=a%2Bb%2Bc%2Bd&v=1&note=two+words");
        for (text, shown) in [
            ("Cannot POST /services/T0/s%20cr%2Fet", "Cannot POST /services/…"),
            ("no s cr/et", "no …"),
            ("sig a+b+c+d, a%2Bb%2Bc%2Bd", "sig …, …"),
            ("two words", "…"),
            ("?sig=a%2Bb%2Bc%2Bd&v=1&note=two+words", "?…"),
            ("services of example.com", "services of example.com"),
        ] {
            assert_eq!(hide_in(&url, text), shown, "{text}");
        }
    }
}
