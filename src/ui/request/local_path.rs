//! Where a form may send people on to: this site, and nowhere else.

/// A path with an optional query on this very site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPath(String);

impl LocalPath {
    /// `None` for anything that a browser could take for another site: `//evil.example`, `/\evil.example`, a URL with a
    /// scheme, or a path with control characters, which browsers drop before they look.
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
    fn paths_of_this_site_pass() {
        for good in [
            "/",
            "/integrations/webhook",
            "/integrations/webhook?q=a%20b&page=2",
            "/a//b",
        ] {
            assert_eq!(LocalPath::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn everything_that_could_lead_away_is_refused() {
        for bad in [
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
            assert_eq!(LocalPath::parse(bad), None, "{bad:?}");
        }
    }
}
