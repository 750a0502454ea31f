//! Looks for secrets in everything that was seen.

use std::{collections::BTreeSet, path::Path};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::support::browser::Page;

/// What may show a secret, because somebody has asked for just that, or typed it there a moment ago.
const SHOWN: [(&str, &str); 11] = [
    ("the first start", "the first password"),
    ("caleida api-key create", "an API key"),
    ("POST /api/v1/webhooks", "a generated secret"),
    ("GET /api/v1/webhooks/{id}/secret", "a generated secret"),
    ("POST /api/v1/webhooks/{id}/rotate-secret", "a rotated secret"),
    ("the reveal", "a secret of their own"),
    ("the reveal by a script", "a secret of their own"),
    ("the refused form, as it was typed", "a secret of their own"),
    ("the rotation's page", "a secret rotated on the page"),
    ("the invite", "an invite"),
    ("the invited person's page", "an invite"),
];

/// Each secret by its name, and everything that was ever seen by where it was.
#[derive(Default)]
pub struct Search {
    secrets: Vec<(&'static str, String)>,
    seen: Vec<(String, String)>,
}

impl Search {
    pub fn secret(&mut self, name: &'static str, value: &str) {
        assert!(value.len() >= 16, "{name} is too short to be searched for");
        self.secrets.push((name, value.to_owned()));
    }

    pub fn saw(&mut self, place: &str, what: impl AsRef<[u8]>) {
        self.seen.push((place.to_owned(), letters(what.as_ref())));
    }

    /// With its headers, except the cookie that it sets: that is where it belongs.
    pub fn saw_page(&mut self, place: &str, page: &Page) {
        self.saw(place, &page.body);
        for (name, value) in &page.headers {
            if name != "set-cookie" {
                self.saw(place, value);
            }
        }
    }

    pub fn saw_folder(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                self.saw_folder(&path);
            } else if name != "master.key" && name != "stdout" {
                self.saw(&format!("the file {name}"), std::fs::read(&path).unwrap());
            }
        }
    }

    /// Nothing is anywhere but where it is meant to be, and there it is: or this search would find nothing.
    pub fn end(&self) {
        let (mut found, mut wrong) = (BTreeSet::new(), BTreeSet::new());
        for (name, value) in &self.secrets {
            for form in forms(value) {
                for (place, what) in &self.seen {
                    if !what.contains(&letters(&form)) {
                        continue;
                    }
                    match SHOWN.iter().find(|shown| **shown == (place.as_str(), *name)) {
                        Some(shown) => found.insert(*shown),
                        None => wrong.insert(format!(
                            "{name} in {place}, as {}",
                            String::from_utf8_lossy(&form)
                        )),
                    };
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        let missing: Vec<_> = SHOWN.iter().filter(|shown| !found.contains(*shown)).collect();
        assert!(missing.is_empty(), "shown no more: {missing:#?}");
    }
}

/// Each byte as a letter of its own, since texts are searched a hundred times as fast as bytes.
fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// As it is, and as it would look in an address, a header, JSON, a page, or a dump.
fn forms(value: &str) -> BTreeSet<Vec<u8>> {
    let mut plain = vec![value.as_bytes().to_vec()];
    // The key under its prefix, and that key's bytes.
    let bare = value.strip_prefix("whsec_").unwrap_or(value);
    plain.push(bare.as_bytes().to_vec());
    let decoded = STANDARD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare));
    plain.extend(decoded.ok().filter(|bytes| bytes.len() >= 16));
    let mut forms = BTreeSet::new();
    for bytes in plain {
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            forms.insert(engine.encode(&bytes).into_bytes());
        }
        forms.insert(
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
            forms.insert(escaped.into_bytes());
            forms.insert(encoded.replace("%20", "+").into_bytes());
            forms.insert(encoded.into_bytes());
            forms.insert(format!("{text:?}").trim_matches('"').as_bytes().to_vec());
            forms.insert(json!(text).to_string().trim_matches('"').as_bytes().to_vec());
        }
        forms.insert(bytes);
    }
    forms
}
