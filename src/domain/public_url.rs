//! The URL of the dashboard in browsers.

use std::{fmt, net::SocketAddr, str::FromStr};

use url::{Host, Url};

/// URL of the dashboard in browsers: scheme, host and, unless it is the default, port.
///
/// Normalized to the form that browsers send in `Origin`: lower case, punycode, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// Error for an invalid public URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublicUrl {
    #[error("remove the quotation marks and use a URL such as https://hooks.example.com")]
    Quoted,
    #[error("use a URL that starts with https:// or http://, such as https://hooks.example.com")]
    Scheme,
    #[error("remove the user name and password and use a URL such as https://hooks.example.com")]
    Credentials,
    #[error("{0}; use a URL such as https://hooks.example.com or http://192.0.2.1:3000")]
    Host(String),
    #[error("browsers cannot open {0}; use the host name or address that they open")]
    Unspecified(String),
    #[error("Caleida needs a host name of its own and cannot be served under a path: use {0}")]
    Path(PublicUrl),
    #[error("remove everything after the host: use {0}")]
    Query(PublicUrl),
}

impl PublicUrl {
    /// Returns the URL of a server that listens on this address.
    pub fn of_address(address: SocketAddr) -> Self {
        // Without the scope of an IPv6 address, which URLs cannot contain.
        let address = SocketAddr::new(address.ip(), address.port());
        let url = Url::parse(&format!("http://{address}")).expect("an address is a valid host");
        Self(url.origin().ascii_serialization())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Returns host and port, as browsers send them in `Host`.
    pub fn authority(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Returns the URL of a path that starts with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPublicUrl> {
        let text = text.trim();
        if text.starts_with(['"', '\'', '`', '“']) {
            return Err(InvalidPublicUrl::Quoted);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidPublicUrl::Scheme)?;
        if !["http", "https"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
        {
            return Err(InvalidPublicUrl::Scheme);
        }
        // Split here, because the parser of URLs removes or adds characters: it reads `https:///a` as `https://a`.
        let (authority, after) = rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(InvalidPublicUrl::Credentials);
        }
        let origin = origin(scheme, authority)?;
        let path = after.split(['?', '#']).next().unwrap_or_default();
        if !["", "/"].contains(&path) {
            return Err(InvalidPublicUrl::Path(origin));
        }
        if path != after {
            return Err(InvalidPublicUrl::Query(origin));
        }
        Ok(origin)
    }
}

fn origin(scheme: &str, authority: &str) -> Result<PublicUrl, InvalidPublicUrl> {
    let url = Url::parse(&format!("{scheme}://{authority}"))
        .map_err(|error| InvalidPublicUrl::Host(error.to_string()))?;
    let (is_unspecified, is_valid) = match url.host() {
        Some(Host::Ipv4(address)) => (address.is_unspecified(), true),
        Some(Host::Ipv6(address)) => (address.is_unspecified(), true),
        // URLs allow more, such as `*` and `$`.
        Some(Host::Domain(name)) => {
            let is_valid = |c: char| c.is_ascii_alphanumeric() || ['-', '.', '_'].contains(&c);
            (false, name.chars().all(is_valid))
        }
        None => (false, false),
    };
    // The parser skips tabs and line breaks.
    if !is_valid || authority.contains(char::is_whitespace) {
        return Err(InvalidPublicUrl::Host("invalid host name".to_owned()));
    }
    if url.port() == Some(0) {
        return Err(InvalidPublicUrl::Host("invalid port number".to_owned()));
    }
    if is_unspecified {
        return Err(InvalidPublicUrl::Unspecified(authority.to_owned()));
    }
    Ok(PublicUrl(url.origin().ascii_serialization()))
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_url_is_normalized() {
        for (text, expected) in [
            ("https://hooks.example.com", "https://hooks.example.com"),
            (" HTTPS://Hooks.Example.COM/ ", "https://hooks.example.com"),
            ("https://hooks.example.com:443", "https://hooks.example.com"),
            ("http://hooks.example.com:80/", "http://hooks.example.com"),
            ("https://hooks.example.com:8443", "https://hooks.example.com:8443"),
            ("http://192.168.1.5:3000\n", "http://192.168.1.5:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://my_host:3000", "http://my_host:3000"),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!(url.as_str(), expected, "{text:?}");
            assert_eq!(url.is_https(), expected.starts_with("https:"));
            assert!(expected.ends_with(url.authority()));
        }
    }

    #[test]
    fn only_scheme_host_and_port_are_accepted() {
        let error = |text: &str| text.parse::<PublicUrl>().unwrap_err();
        let origin = |text: &str| text.parse::<PublicUrl>().unwrap();
        for text in [
            "\"https://h.example\"",
            "'https://h.example'",
            "“https://h.example”",
        ] {
            assert_eq!(error(text), InvalidPublicUrl::Quoted, "{text}");
        }
        for text in [
            "",
            " ",
            "h.example",
            "//h.example",
            "ftp://h.example",
            "https:h.example",
            "h.example:443",
        ] {
            assert_eq!(error(text), InvalidPublicUrl::Scheme, "{text}");
        }
        for text in [
            "https://ada@h.example",
            "https://ada:secret@h.example",
            "https://@h.example",
        ] {
            assert_eq!(error(text), InvalidPublicUrl::Credentials, "{text}");
        }
        for (text, host) in [
            ("https://h.example/hooks", "https://h.example"),
            ("https://H.example:8443/hooks/?x#y", "https://h.example:8443"),
            ("https://h.example//", "https://h.example"),
            ("https://h.example\\hooks", "https://h.example"),
        ] {
            assert_eq!(error(text), InvalidPublicUrl::Path(origin(host)), "{text}");
        }
        for text in [
            "https://h.example?x",
            "https://h.example/?x",
            "https://h.example#",
            "https://h.example/#a",
        ] {
            assert_eq!(
                error(text),
                InvalidPublicUrl::Query(origin("https://h.example")),
                "{text}"
            );
        }
        for text in [
            "https://",
            "https:///",
            "https:///h.example",
            "https://:3000",
            "https://h.example:port",
            "https://h.example:99999",
            "https://h.example:0",
            "https://h.example\"",
            "https://*.example",
            "https://${HOST}",
            "https://h.exa mple",
            "https://h.exa\tmple",
            "https://[::1",
            "https://h.example,https://i.example",
        ] {
            assert!(
                matches!(error(text), InvalidPublicUrl::Host(_)),
                "{text}: {:?}",
                error(text)
            );
        }
        for text in ["http://0.0.0.0:3000", "http://[::]:3000", "http://0"] {
            assert!(matches!(error(text), InvalidPublicUrl::Unspecified(_)), "{text}");
        }
    }

    #[test]
    fn refused_path_explains_what_to_use() {
        let error = "https://Example.com/hooks/".parse::<PublicUrl>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "Caleida needs a host name of its own and cannot be served under a path: use https://example.com"
        );
    }

    #[test]
    fn url_of_an_address_has_its_port() {
        for (address, expected) in [
            ("127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("[::1]:80", "http://[::1]"),
            ("[fe80::1%2]:3000", "http://[fe80::1]:3000"),
        ] {
            assert_eq!(PublicUrl::of_address(address.parse().unwrap()).as_str(), expected);
        }
    }
}
