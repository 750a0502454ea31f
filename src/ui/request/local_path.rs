//! Validation of redirect targets from forms and URLs.

/// A path on this site, with an optional query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPath(String);

impl LocalPath {
    /// Returns `None` for text that a browser could resolve to another site: `//evil.example`, `/\evil.example`, a URL with
    /// a scheme, or a path with control characters, which browsers drop before they parse it.
    pub fn parse(text: &str) -> Option<Self> {
        let second = text.as_bytes().get(1);
        let local = text.starts_with('/')
            && !matches!(second, Some(b'/' | b'\\'))
            && text.len() <= 2048
            && text.bytes().all(|b| b.is_ascii_graphic());
        local.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_paths_of_this_site() {
        for path in [
            "/",
            "/integrations/webhook",
            "/integrations/webhook?q=a%20b&page=2",
            "/a//b",
        ] {
            assert_eq!(LocalPath::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn rejects_paths_to_other_sites() {
        for path in [
            "",
            "integrations",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/a\r\nset-cookie: b=c",
            " /",
            "/é",
        ] {
            assert_eq!(LocalPath::parse(path), None, "{path:?}");
        }
    }
}
