//! Searches collected texts for secrets in all common encodings.

use std::{collections::BTreeSet, path::Path};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::support::browser::Page;

/// Places that may contain a secret, because the user requested or just entered it: place and secret.
const ALLOWED: [(&str, &str); 12] = [
    ("the first start", "the first password"),
    ("caleida api-key create", "an API key"),
    ("POST /api/v1/webhooks", "a generated secret"),
    ("GET /api/v1/webhooks/{id}/secret", "a generated secret"),
    ("POST /api/v1/webhooks/{id}/rotate-secret", "a rotated secret"),
    ("the reveal", "a custom secret"),
    ("the reveal by a script", "a custom secret"),
    ("the rejected form", "a custom secret"),
    ("the rejected form", "a typed header"),
    ("the rotation", "a secret rotated on the page"),
    ("the invite", "an invite"),
    ("the invite page", "an invite"),
];

/// The secrets by name, and all collected texts by place.
#[derive(Default)]
pub struct Search {
    secrets: Vec<(&'static str, String)>,
    texts: Vec<(String, String)>,
}

impl Search {
    pub fn secret(&mut self, name: &'static str, value: &str) {
        assert!(value.len() >= 16, "{name} is too short to search for");
        self.secrets.push((name, value.to_owned()));
    }

    pub fn add(&mut self, place: &str, bytes: impl AsRef<[u8]>) {
        self.texts.push((place.to_owned(), latin1(bytes.as_ref())));
    }

    /// Adds a page with its headers, except `set-cookie`, which contains the session.
    pub fn add_page(&mut self, place: &str, page: &Page) {
        self.add(place, &page.body);
        for (name, value) in &page.headers {
            if name != "set-cookie" {
                self.add(place, value);
            }
        }
    }

    pub fn add_folder(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                self.add_folder(&path);
            } else if name != "master.key" && name != "stdout" {
                self.add(&format!("the file {name}"), std::fs::read(&path).unwrap());
            }
        }
    }

    /// Asserts that secrets appear in all allowed places and nowhere else. The former proves that the search works.
    pub fn check(&self) {
        let (mut found, mut wrong) = (BTreeSet::new(), BTreeSet::new());
        for (name, value) in &self.secrets {
            for encoding in encodings(value) {
                for (place, text) in &self.texts {
                    if !text.contains(&latin1(&encoding)) {
                        continue;
                    }
                    match ALLOWED
                        .iter()
                        .find(|allowed| **allowed == (place.as_str(), *name))
                    {
                        Some(allowed) => found.insert(*allowed),
                        None => wrong.insert(format!(
                            "{name} in {place}, as {}",
                            String::from_utf8_lossy(&encoding)
                        )),
                    };
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        let missing: Vec<_> = ALLOWED
            .iter()
            .filter(|allowed| !found.contains(*allowed))
            .collect();
        assert!(missing.is_empty(), "not found: {missing:#?}");
    }
}

/// Decodes bytes as Latin-1, because searching strings is about a hundred times faster than searching byte windows.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// Returns the value in all encodings: plain, Base64, hex, HTML, URL, JSON and debug output.
fn encodings(value: &str) -> BTreeSet<Vec<u8>> {
    let mut plain = vec![value.as_bytes().to_vec()];
    // The key without prefix, and its bytes.
    let bare = value.strip_prefix("whsec_").unwrap_or(value);
    plain.push(bare.as_bytes().to_vec());
    let decoded = STANDARD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare));
    plain.extend(decoded.ok().filter(|bytes| bytes.len() >= 16));
    let mut encodings = BTreeSet::new();
    for bytes in plain {
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            encodings.insert(engine.encode(&bytes).into_bytes());
        }
        encodings.insert(
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
                .into_bytes(),
        );
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let escaped = text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            encodings.insert(escaped.into_bytes());
            encodings.insert(encoded.replace("%20", "+").into_bytes());
            encodings.insert(encoded.into_bytes());
            encodings.insert(format!("{text:?}").trim_matches('"').as_bytes().to_vec());
            encodings.insert(json!(text).to_string().trim_matches('"').as_bytes().to_vec());
        }
        encodings.insert(bytes);
    }
    encodings
}
