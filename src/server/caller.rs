//! What trusted proxies report about the client: its address, and the address at which it opened the dashboard.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::config::Networks;
use crate::domain::PublicUrl;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Networks of the proxies whose headers are used.
#[derive(Clone)]
pub(super) struct TrustedProxies {
    networks: Networks,
    /// Whether a warning about an unreadable address was logged. One is enough: every request has the same problem.
    warned: Arc<AtomicBool>,
}

impl TrustedProxies {
    pub(super) fn new(networks: &Networks) -> Self {
        Self {
            networks: Arc::clone(networks),
            warned: Arc::default(),
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address.to_canonical()))
    }
}

/// Middleware that replaces the `ConnectInfo` of the proxy by that of the client, and stores the address at which the
/// client opened the dashboard.
pub(super) async fn read_proxy_headers(
    State(proxies): State<TrustedProxies>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(&ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>()
        && proxies.contains(peer.ip())
    {
        let client = client_ip(peer.ip(), request.headers(), &proxies);
        let client = SocketAddr::new(client, peer.port());
        request.extensions_mut().insert(ConnectInfo(client));
        if let Some(opened) = opened_url(request.headers()) {
            restore_host(request.headers_mut(), &opened);
            request.extensions_mut().insert(opened);
        }
    }
    next.run(request).await
}

/// Returns the last address that is not a trusted proxy. Each proxy appends the address of its client, so earlier
/// addresses can be forged.
fn client_ip(peer: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> IpAddr {
    let hops: Vec<_> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|hop| !hop.is_empty())
        .collect();
    let mut client = peer.to_canonical();
    for hop in hops.into_iter().rev() {
        if !proxies.contains(client) {
            break;
        }
        let Some(address) = str::from_utf8(hop).ok().and_then(hop_ip) else {
            if !proxies.warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    hop = ?String::from_utf8_lossy(hop),
                    proxy = %client,
                    "unreadable address in X-Forwarded-For: clients of this proxy share its address and its limits"
                );
            }
            break;
        };
        client = address.to_canonical();
    }
    client
}

/// Parses an address of `X-Forwarded-For`. Some proxies, such as Azure Application Gateway and IIS, append the port.
fn hop_ip(hop: &str) -> Option<IpAddr> {
    let in_brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    hop.parse::<IpAddr>()
        .or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .or_else(in_brackets)
}

/// Returns the address at which the client opened the dashboard, as the first proxy reports it.
fn opened_url(headers: &HeaderMap) -> Option<PublicUrl> {
    let first = |name| {
        let value = headers.get(name)?.to_str().ok()?;
        value.split(',').next().map(str::trim)
    };
    let scheme = first(FORWARDED_PROTO).unwrap_or("http");
    let host = first(FORWARDED_HOST).or_else(|| first(header::HOST))?;
    format!("{scheme}://{host}").parse().ok()
}

/// Sets `Host` to the reported host if the browser sent the request from there, for the check of its origin.
///
/// No other site can forge this: browsers set `Origin`, and let only this site add `X-Forwarded-Host`. Otherwise `Host`
/// stays, because some proxies report a host without its port.
fn restore_host(headers: &mut HeaderMap, opened: &PublicUrl) {
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok());
    if origin == Some(opened.as_str())
        && let Ok(host) = HeaderValue::from_str(opened.authority())
    {
        headers.insert(header::HOST, host);
    }
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;

    use super::*;

    fn proxies() -> TrustedProxies {
        let networks: [IpNet; 1] = ["10.0.0.0/8".parse().unwrap()];
        TrustedProxies::new(&Networks::from(networks))
    }

    fn client(peer: &str, forwarded: &[&'static str]) -> String {
        let headers = forwarded
            .iter()
            .map(|value| (FORWARDED_FOR, value.parse().unwrap()));
        client_ip(peer.parse().unwrap(), &headers.collect(), &proxies()).to_string()
    }

    #[test]
    fn only_trusted_proxies_can_set_the_client_address() {
        assert_eq!(client("203.0.113.1", &["198.51.100.7"]), "203.0.113.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("::ffff:10.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        // The client forged the first address.
        assert_eq!(client("10.0.0.1", &["192.0.2.1, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            client("10.0.0.1", &["192.0.2.1", "198.51.100.7, 10.0.0.2"]),
            "198.51.100.7"
        );
        assert_eq!(client("10.0.0.1", &["198.51.100.7, nonsense"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn client_address_may_have_a_port_and_brackets() {
        for (hop, expected) in [
            ("203.0.113.7:51234", "203.0.113.7"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:51234", "2001:db8::1"),
            ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
            ("198.51.100.7, 10.0.0.2:8080,", "198.51.100.7"),
            ("192.0.2.1:1,[2001:db8::7]:2, [::ffff:10.0.0.9]:3", "2001:db8::7"),
        ] {
            assert_eq!(client("10.0.0.1", &[hop]), expected, "{hop}");
        }
        for hop in [
            "unknown",
            "_hidden",
            "203.0.113.7:",
            "203.0.113.7:99999",
            "[2001:db8::1",
            "2001:db8::1]",
            "[203.0.113.7",
            "a:1",
        ] {
            assert_eq!(client("10.0.0.1", &[hop]), "10.0.0.1", "{hop}");
        }
    }

    #[test]
    fn unreadable_address_is_reported_only_if_a_trusted_proxy_sent_it() {
        let warns = |peer: &str, forwarded: &'static str| {
            let proxies = proxies();
            let headers = HeaderMap::from_iter([(FORWARDED_FOR, forwarded.parse().unwrap())]);
            client_ip(peer.parse().unwrap(), &headers, &proxies);
            proxies.warned.load(Ordering::Relaxed)
        };
        assert!(warns("10.0.0.1", "unknown"));
        assert!(warns("10.0.0.1", "nonsense, 10.0.0.2"));
        assert!(!warns("10.0.0.1", "198.51.100.7"));
        // Clients can send anything.
        assert!(!warns("10.0.0.1", "nonsense, 198.51.100.7"));
        assert!(!warns("203.0.113.1", "nonsense"));
    }

    #[test]
    fn opened_url_is_the_one_that_the_proxy_reports() {
        let opened = |headers: &[(HeaderName, &'static str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
            opened_url(&headers.collect()).map(|url| url.to_string())
        };
        let host = (header::HOST, "10.0.0.5:3000");
        assert_eq!(
            opened(std::slice::from_ref(&host)).as_deref(),
            Some("http://10.0.0.5:3000")
        );
        assert_eq!(
            opened(&[host.clone(), (FORWARDED_PROTO, "https")]).as_deref(),
            Some("https://10.0.0.5:3000")
        );
        let chain = [
            host.clone(),
            (FORWARDED_PROTO, "https, http"),
            (FORWARDED_HOST, "Hooks.example.com, inner"),
        ];
        assert_eq!(opened(&chain).as_deref(), Some("https://hooks.example.com"));
        for invalid in ["a/b", "a b", "ada@h.example", ""] {
            assert_eq!(
                opened(&[host.clone(), (FORWARDED_HOST, invalid)]),
                None,
                "{invalid:?}"
            );
        }
        assert_eq!(opened(&[host, (FORWARDED_PROTO, "gopher")]), None);
    }

    #[test]
    fn host_is_restored_only_for_the_same_origin() {
        let host = |origin: &'static str| {
            let mut headers = HeaderMap::from_iter([
                (header::HOST, HeaderValue::from_static("127.0.0.1:3000")),
                (header::ORIGIN, HeaderValue::from_static(origin)),
            ]);
            restore_host(&mut headers, &"https://hooks.example.com".parse().unwrap());
            headers[header::HOST].to_str().unwrap().to_owned()
        };
        assert_eq!(host("https://hooks.example.com"), "hooks.example.com");
        for other in [
            "http://hooks.example.com",
            "https://evil.example",
            "https://hooks.example.com:8443",
            "null",
        ] {
            assert_eq!(host(other), "127.0.0.1:3000", "{other}");
        }
    }
}
