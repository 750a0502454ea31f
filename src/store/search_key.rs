//! Text in a form that makes a search independent of case, alphabet and encoding.
//!
//! Each webhook has a column with this form of its name and its URL, because the databases differ in what `lower` does:
//! SQLite only knows the letters of ASCII.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use percent_encoding::percent_decode_str;
use url::{Position, Url};

use crate::domain::{EndpointUrl, WebhookName};

/// Returns the text to search in: the name, the URL as it is stored and sent, and the URL as people read it.
pub(super) fn search_text(name: &WebhookName, url: &EndpointUrl) -> String {
    let url = url.full();
    let mut lines = vec![fold(name.as_str()), fold(url.as_str())];
    let readable = fold(&readable_url(url));
    if readable != lines[1] {
        lines.push(readable);
    }
    lines.join("\n")
}

/// Returns the text to search in for callers that see shortened URLs: the name, and the host with its port.
///
/// It is derived from the URL at each search. A column of its own would have to be filled for stored webhooks.
pub(super) fn visible_search_text(name: &WebhookName, url: &EndpointUrl) -> String {
    let url = url.full();
    let host = url.host_str().unwrap_or_default();
    let port = &url[Position::AfterHost..Position::AfterPort];
    let (readable, _) = idna::domain_to_unicode(host);
    [
        fold(name.as_str()),
        fold(&format!("{host}{port}")),
        fold(&format!("{readable}{port}")),
    ]
    .join("\n")
}

/// Returns the texts of which a match contains at least one: the searched text, and how it reads if it is part of an
/// encoded URL.
pub(super) fn search_terms(search: &str) -> Vec<String> {
    let typed = search.trim();
    let mut terms = vec![fold(typed)];
    let readable = fold(&readable_text(typed));
    if readable != terms[0] {
        terms.push(readable);
    }
    terms
}

/// Returns the URL with its host in the original alphabet, and with the characters that percent signs encode.
fn readable_url(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let (readable, _) = idna::domain_to_unicode(host);
    // Scheme, host and port are ASCII and contain the host once: before it is only the scheme.
    let text = url.as_str().replacen(host, &readable, 1);
    percent_decoded(&text).into_owned()
}

/// Decodes percent signs, and labels of a host that begin with `xn--`.
fn readable_text(text: &str) -> String {
    let decoded = percent_decoded(text);
    let is_part_of_host = |c: char| c.is_alphanumeric() || c == '-';
    let mut readable = String::with_capacity(decoded.len());
    for part in decoded.split_inclusive(|c| !is_part_of_host(c)) {
        let label = part.trim_end_matches(|c| !is_part_of_host(c));
        if label.to_ascii_lowercase().starts_with("xn--") {
            readable.push_str(&idna::domain_to_unicode(label).0);
            readable.push_str(&part[label.len()..]);
        } else {
            readable.push_str(part);
        }
    }
    readable
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// Returns a form that is the same for all spellings of a text: in upper and lower case, with composed and decomposed
/// accents, in full and half width.
fn fold(text: &str) -> String {
    const NORMALIZER: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();
    // Both cases, because some letters differ in only one of them: ß, ẞ and SS, σ and ς, k and the Kelvin sign.
    let folded: String = NORMALIZER
        .normalize(text)
        .chars()
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect();
    NORMALIZER
        .normalize(&folded)
        // The dot of a Turkish İ.
        .replace("i\u{307}", "i")
        // PostgreSQL rejects text with NUL.
        .replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Transport;

    fn text(name: &str, url: &str) -> String {
        let name = WebhookName::parse(name).unwrap();
        search_text(&name, &EndpointUrl::parse(url, Transport::HttpsOnly).unwrap())
    }

    fn visible_text(name: &str, url: &str) -> String {
        let name = WebhookName::parse(name).unwrap();
        visible_search_text(&name, &EndpointUrl::parse(url, Transport::HttpsOnly).unwrap())
    }

    fn finds(search: &str, text: &str) -> bool {
        search_terms(search)
            .iter()
            .any(|term| text.contains(term.as_str()))
    }

    #[test]
    fn names_are_found_in_any_case_and_alphabet() {
        for (name, search) in [
            ("Ärzte", "ärzte"),
            ("ärzte", "ÄRZ"),
            ("Заказы", "ЗАКАЗ"),
            ("заказы", "Заказы"),
            ("ΟΔΟΣ 5", "οδοσ"),
            ("οδος", "ΟΔΟΣ"),
            ("ΟΔΟΣΑ", "οδος"),
            ("STRASSE", "straße"),
            ("Straße", "STRASSE"),
            ("GROẞ", "groß"),
            ("İstanbul", "istanbul"),
            ("ısparta", "ISPARTA"),
            ("ŁÓDŹ", "łódź"),
            ("ԵՐԵՒԱՆ", "երևան"),
            // Decomposed, as macOS writes it.
            ("Cafe\u{301}", "CAFÉ"),
            ("Café", "cafe\u{301}"),
            ("ＡＢＣ", "abc"),
            ("注文", "注文"),
            ("  Orders", " orders "),
            ("100% done", "100%"),
        ] {
            assert!(
                finds(search, &text(name, "https://example.com/")),
                "{search} in {name}"
            );
        }
        assert!(!finds("ö", &text("Ärzte", "https://example.com/")));
    }

    #[test]
    fn urls_are_found_as_they_are_stored_and_as_people_read_them() {
        let bucher = "https://Bücher.example/Straße/É?q=ж";
        for (url, search) in [
            (bucher, "bücher.example"),
            (bucher, "BÜCHER"),
            (bucher, "xn--bcher-kva.example"),
            (bucher, "https://bücher.example/straße"),
            (bucher, "https://xn--bcher-kva.example/Stra%C3%9Fe"),
            (bucher, "https://bücher.example/Stra%c3%9fe/é"),
            (bucher, "xn--bcher-kva.example/straße"),
            (bucher, "%C3%89"),
            (bucher, "é?q=Ж"),
            ("https://почта.рф:8443/", "почта.рф:8443"),
            ("https://почта.рф/", "ПОЧТА.РФ"),
            ("https://例え.テスト/", "例え.テスト"),
            ("https://faß.example/", "faß.example"),
            ("https://a.example/%E2%82%AC", "€"),
            ("https://a.example/a%20b", "a b"),
            ("https://[::1]:8080/x", "[::1]:8080"),
            // Not valid UTF-8.
            ("https://a.example/%FF", "%FF"),
        ] {
            assert!(finds(search, &text("name", url)), "{search} in {url}");
        }
        assert!(!finds("bucher", &text("name", bucher)));
        assert!(!text("name", "https://a.example/%00").contains('\0'));
        assert!(search_terms("\0").iter().all(|term| !term.contains('\0')));
    }

    #[test]
    fn visible_text_has_only_name_and_host() {
        let text = visible_text("Ärzte", "https://Bücher.example:8443/api/T0ken/%E2%82%AC?sig=y#z");
        for found in ["ärz", "BÜCHER.example:8443", "xn--bcher-kva", ".example", ":84"] {
            assert!(finds(found, &text), "{found}");
        }
        for hidden in ["https", "/", "api", "t0k", "€", "%", "sig", "?", "y#", "8443/"] {
            assert!(!finds(hidden, &text), "{hidden}");
        }
    }
}
