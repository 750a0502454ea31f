//! The credentials of a webhook that must not be kept with a response: some receivers repeat the request.

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

use crate::domain::custom_header::CustomHeaders;

/// Stands for what is not kept.
pub const REDACTED: &str = "[redacted]";

/// Shorter values are not hidden: they are too short for a credential, and would match by chance.
const MIN_LENGTH: usize = 6;

/// Texts that no kept response may contain.
#[derive(Default)]
pub struct Hidden(Vec<Zeroizing<String>>);

impl Hidden {
    /// Hides the values, and the credentials in values such as `Bearer …` and `Basic …`.
    pub fn new(headers: &CustomHeaders) -> Self {
        let mut texts = Vec::new();
        for (_, value) in headers.iter() {
            let value = value.expose();
            texts.push(Zeroizing::new(value.to_owned()));
            let Some((scheme, credentials)) = value.split_once(' ') else {
                continue;
            };
            texts.push(Zeroizing::new(credentials.trim().to_owned()));
            if scheme.eq_ignore_ascii_case("basic") {
                texts.extend(password(credentials.trim()));
            }
        }
        texts.retain(|text| text.len() >= MIN_LENGTH);
        let escaped: Vec<_> = texts.iter().flat_map(|text| escaped(text)).collect();
        texts.extend(escaped);
        // A text may contain another one.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self(texts)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Replaces the texts. `is_cut` also replaces the beginning of one at the end.
    pub fn hide<'a>(&self, bytes: &'a [u8], is_cut: bool) -> Cow<'a, [u8]> {
        let mut bytes = Cow::Borrowed(bytes);
        for text in &self.0 {
            if let Some(replaced) = replace(&bytes, text.as_bytes()) {
                bytes = Cow::Owned(replaced);
            }
        }
        if is_cut {
            for text in &self.0 {
                let beginnings = (MIN_LENGTH..text.len()).rev();
                let mut beginnings = beginnings.map(|length| &text.as_bytes()[..length]);
                if let Some(beginning) = beginnings.find(|beginning| bytes.ends_with(beginning)) {
                    let rest = bytes.len() - beginning.len();
                    bytes = Cow::Owned([&bytes[..rest], REDACTED.as_bytes()].concat());
                    break;
                }
            }
        }
        bytes
    }
}

/// Returns the text as responses in JSON and HTML contain it, where that differs.
fn escaped(text: &str) -> impl Iterator<Item = Zeroizing<String>> {
    let json = Zeroizing::new(serde_json::json!(text).to_string());
    let json = Zeroizing::new(json[1..json.len() - 1].to_owned());
    let html = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let html = Zeroizing::new(html.replace('"', "&quot;"));
    let differs = |escaped: &Zeroizing<String>| **escaped != *text;
    [json, html]
        .into_iter()
        .filter(differs)
        .collect::<Vec<_>>()
        .into_iter()
}

/// Returns the password of HTTP basic authentication.
fn password(credentials: &str) -> Option<Zeroizing<String>> {
    let decoded = Zeroizing::new(BASE64_STANDARD.decode(credentials).ok()?);
    let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(Zeroizing::new(password.to_owned()))
}

/// Returns the bytes with each occurrence of `text` replaced, or `None` if there is none.
fn replace(bytes: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let find = |bytes: &[u8]| bytes.windows(text.len()).position(|window| window == text);
    let mut rest = bytes;
    let mut replaced = Vec::new();
    while let Some(at) = find(rest) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(REDACTED.as_bytes());
        rest = &rest[at + text.len()..];
    }
    if rest.len() == bytes.len() {
        return None;
    }
    replaced.extend_from_slice(rest);
    Some(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden() -> Hidden {
        let basic = BASE64_STANDARD.encode("me:correct horse");
        let text = format!(
            "authorization: Bearer tok.en-12345\nx-basic: Basic {basic}\nx-short: abc\nx-odd: a\"b&c<d>\n"
        );
        Hidden::new(&CustomHeaders::parse_text(&text).unwrap())
    }

    #[test]
    fn repeated_values_are_hidden() {
        let hidden = hidden();
        for (body, is_cut, shown) in [
            (
                r#"{"authorization":"Bearer tok.en-12345"}"#,
                false,
                r#"{"authorization":"[redacted]"}"#,
            ),
            ("tok.en-12345 tok.en-12345", false, "[redacted] [redacted]"),
            (
                "user me, password correct horse",
                false,
                "user me, password [redacted]",
            ),
            ("Basic bWU6Y29ycmVjdCBob3JzZQ==", false, "[redacted]"),
            ("abc and tok.en-1234", false, "abc and tok.en-1234"),
            ("abc and tok.en-1234", true, "abc and [redacted]"),
            ("abc and Bearer to", true, "abc and [redacted]"),
            (r#"{"x-odd":"a\"b&c<d>"}"#, false, r#"{"x-odd":"[redacted]"}"#),
            ("<td>a&quot;b&amp;c&lt;d&gt;</td>", false, "<td>[redacted]</td>"),
            ("", true, ""),
        ] {
            let result = hidden.hide(body.as_bytes(), is_cut);
            assert_eq!(String::from_utf8_lossy(&result), shown, "{body}");
        }
    }
}
