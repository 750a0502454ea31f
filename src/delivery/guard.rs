//! Guard against server-side request forgery: decides which addresses requests may go to.
//!
//! It checks IP addresses, never strings. A URL is parsed once, its host is resolved once, **all** resolved addresses
//! are checked, and the connection goes only to checked addresses. A host that later resolves to other addresses is
//! checked again.

mod dns;
mod registry;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ipnet::IpNet;
use url::Host;

use self::dns::{DnsCache, SystemLookup};
pub use self::{
    dns::{Lookup, LookupError},
    registry::is_public,
};
use crate::domain::EndpointUrl;

/// Maximum time that a form waits for advice about a host.
const ADVICE_TIMEOUT: Duration = Duration::from_secs(3);

/// Decides which addresses may be connected to. Clones share the DNS cache.
#[derive(Clone)]
pub struct Guard {
    allow: Arc<[IpNet]>,
    dns: Arc<DnsCache>,
}

impl Guard {
    /// Creates a guard that permits public addresses and those in the networks of `allow`.
    pub fn new(allow: Vec<IpNet>) -> Self {
        Self::with_lookup(allow, SystemLookup)
    }

    /// Creates a guard with a custom resolver.
    pub fn with_lookup(allow: Vec<IpNet>, lookup: impl Lookup) -> Self {
        Self {
            allow: allow.into(),
            dns: Arc::new(DnsCache::new(lookup)),
        }
    }

    /// Returns whether this address may be connected to. Cloud metadata addresses are never permitted, even in an
    /// allowed network.
    pub fn permits(&self, ip: IpAddr) -> bool {
        is_public(ip)
            || (self.allow.iter().any(|network| network.contains(&ip)) && !registry::is_metadata(ip))
    }

    /// Checks a URL whose host is an IP address. A host name is checked when it is resolved.
    pub fn check_ip_literal(&self, url: &EndpointUrl) -> Result<(), Refusal> {
        let ip = match url.full().host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.permits(ip) {
            Ok(())
        } else {
            Err(Refusal::Blocked(ip))
        }
    }

    /// Resolves a host to permitted addresses. A single address that is not permitted blocks the host. Otherwise an
    /// attacker could hide one among public addresses and wait for a connection to it.
    pub async fn resolve(&self, host: Host<&str>, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
        let addresses: Arc<[IpAddr]> = match host {
            Host::Ipv4(ip) => [IpAddr::V4(ip)].into(),
            Host::Ipv6(ip) => [IpAddr::V6(ip)].into(),
            Host::Domain(name) => self.dns.addresses(name).await.map_err(|error| match error {
                LookupError::NotFound => Refusal::NotFound(name.to_owned()),
                LookupError::Unavailable => Refusal::LookupFailed(name.to_owned()),
            })?,
        };
        match addresses.iter().find(|ip| !self.permits(**ip)) {
            Some(&ip) => Err(Refusal::Blocked(ip)),
            None => Ok(addresses.iter().map(|&ip| SocketAddr::new(ip, port)).collect()),
        }
    }

    /// Returns advice about a URL before it is saved, or nothing if the URL has no problems.
    pub async fn advise(&self, url: &EndpointUrl) -> Vec<Advice> {
        let Some(host) = url.full().host() else {
            return Vec::new();
        };
        let port = url.full().port_or_known_default().unwrap_or_default();
        let resolved = tokio::time::timeout(ADVICE_TIMEOUT, self.resolve(host, port)).await;
        let is_loopback =
            matches!(&resolved, Ok(Ok(addresses)) if addresses.iter().all(|addr| addr.ip().is_loopback()));
        let unencrypted = (!url.is_https() && !is_loopback).then_some(Advice::Unencrypted);
        let refused = resolved.ok().and_then(Result::err).map(Advice::Refused);
        unencrypted.into_iter().chain(refused).collect()
    }
}

/// Reason a host must not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0} does not resolve to any address")]
    NotFound(String),
    #[error("{0} is not a public address, so nothing was sent")]
    Blocked(IpAddr),
    #[error("The DNS lookup of {0} failed")]
    LookupFailed(String),
}

/// Advice about a valid URL that may not work as intended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Advice {
    #[error("Without https, calls are signed but not encrypted.")]
    Unencrypted,
    #[error("{}", explain(.0))]
    Refused(Refusal),
}

fn explain(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotFound(name) => format!("{name} does not resolve to any address. Check the spelling."),
        Refusal::Blocked(ip) => {
            format!("This URL leads to {ip}, which is not a public address. Calls will be blocked.")
        }
        Refusal::LookupFailed(name) => format!("{name} could not be resolved. Try again in a moment."),
    }
}

/// Resolver of the HTTP client, which connects only to the returned addresses. The client does not resolve hosts that
/// are IP addresses, so the sender checks those itself.
impl reqwest::dns::Resolve for Guard {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let guard = self.clone();
        Box::pin(async move {
            // With port 0, the client uses the port of the URL.
            let addresses = Self::resolve(&guard, Host::Domain(name.as_str()), 0).await?;
            Ok(Box::new(addresses.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use async_trait::async_trait;

    use super::{
        dns::{CACHE_TTL, CAPACITY},
        *,
    };
    use crate::domain::Transport;

    /// Returns the answers one after the other, then repeats the last one.
    struct FakeLookup {
        answers: Mutex<VecDeque<Result<Vec<IpAddr>, LookupError>>>,
        lookups: Arc<AtomicUsize>,
    }

    #[async_trait]
    impl Lookup for FakeLookup {
        async fn lookup(&self, _: &str) -> Result<Vec<IpAddr>, LookupError> {
            self.lookups.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            let mut answers = self.answers.lock().unwrap();
            if answers.len() > 1 {
                answers.pop_front().unwrap()
            } else {
                answers[0].clone()
            }
        }
    }

    fn ips(texts: &[&str]) -> Result<Vec<IpAddr>, LookupError> {
        Ok(texts.iter().map(|ip| ip.parse().unwrap()).collect())
    }

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|net| net.parse().unwrap()).collect()
    }

    fn fake_guard<const N: usize>(
        answers: [Result<Vec<IpAddr>, LookupError>; N],
    ) -> (Guard, Arc<AtomicUsize>) {
        let lookups = Arc::new(AtomicUsize::new(0));
        let fake = FakeLookup {
            answers: Mutex::new(answers.into()),
            lookups: Arc::clone(&lookups),
        };
        (Guard::with_lookup(Vec::new(), fake), lookups)
    }

    async fn resolve(guard: &Guard, name: &str) -> Result<Vec<SocketAddr>, Refusal> {
        guard.resolve(Host::Domain(name), 443).await
    }

    #[test]
    fn allowed_network_permits_only_its_own_addresses() {
        let guard = Guard::new(nets(&["10.1.0.0/16", "fd12::/16"]));
        for (ip, expected) in [
            ("10.1.2.3", true),
            ("10.2.0.1", false),
            ("fd12::1", true),
            ("fd13::1", false),
            ("1.1.1.1", true),
        ] {
            assert_eq!(guard.permits(ip.parse().unwrap()), expected, "{ip}");
        }
    }

    #[test]
    fn metadata_is_blocked_even_in_allowed_networks() {
        let guard = Guard::new(nets(&["0.0.0.0/0", "::/0"]));
        assert!(guard.permits("127.0.0.1".parse().unwrap()));
        assert!(guard.permits("::1".parse().unwrap()));
        for ip in [
            "169.254.169.254",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
        ] {
            assert!(!guard.permits(ip.parse().unwrap()), "{ip}");
        }
    }

    #[tokio::test]
    async fn ip_hosts_are_checked_without_a_lookup() {
        let (guard, lookups) = fake_guard([Err(LookupError::NotFound)]);
        let literal = |text: &str| url::Url::parse(text).unwrap();
        // The URL standard parses all of these as 127.0.0.1 or an IPv6 form of it.
        for text in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://127.0.0.1./",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://①②⑦.0.0.1/",
        ] {
            let url = literal(text);
            let refusal = guard.resolve(url.host().unwrap(), 443).await.unwrap_err();
            assert!(matches!(refusal, Refusal::Blocked(_)), "{text}: {refusal}");
            let url = EndpointUrl::parse(text, Transport::HttpsOnly).unwrap();
            assert_eq!(guard.check_ip_literal(&url), Err(refusal));
        }
        let url = literal("https://1.1.1.1/");
        assert_eq!(
            guard.resolve(url.host().unwrap(), 443).await,
            Ok(vec!["1.1.1.1:443".parse().unwrap()])
        );
        assert_eq!(lookups.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn one_blocked_address_blocks_the_host() {
        let (guard, _) = fake_guard([ips(&["1.1.1.1", "10.0.0.1", "2606:4700::1111"])]);
        let refusal = resolve(&guard, "mixed.test").await;
        assert_eq!(refusal, Err(Refusal::Blocked("10.0.0.1".parse().unwrap())));
    }

    #[tokio::test(start_paused = true)]
    async fn changed_addresses_are_checked_again() {
        let (guard, lookups) = fake_guard([ips(&["1.1.1.1"]), ips(&["169.254.169.254"])]);
        assert_eq!(
            resolve(&guard, "rebinding.test").await,
            Ok(vec!["1.1.1.1:443".parse().unwrap()])
        );
        tokio::time::advance(CACHE_TTL - Duration::from_millis(1)).await;
        assert_eq!(
            resolve(&guard, "rebinding.test").await,
            Ok(vec!["1.1.1.1:443".parse().unwrap()])
        );
        assert_eq!(lookups.load(Ordering::SeqCst), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        let refusal = resolve(&guard, "rebinding.test").await;
        assert_eq!(refusal, Err(Refusal::Blocked("169.254.169.254".parse().unwrap())));
    }

    #[tokio::test]
    async fn concurrent_requests_share_one_lookup() {
        let (guard, lookups) = fake_guard([ips(&["1.1.1.1"])]);
        let (a, b, c) = tokio::join!(
            resolve(&guard, "a.test"),
            resolve(&guard, "a.test"),
            resolve(&guard, "a.test")
        );
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        assert_eq!(lookups.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn failed_lookups_are_distinguished_and_not_cached() {
        let (guard, lookups) = fake_guard([
            Err(LookupError::Unavailable),
            Err(LookupError::NotFound),
            ips(&[]),
            ips(&["1.1.1.1"]),
        ]);
        let name = || "a.test".to_owned();
        assert_eq!(
            resolve(&guard, "a.test").await,
            Err(Refusal::LookupFailed(name()))
        );
        assert_eq!(resolve(&guard, "a.test").await, Err(Refusal::NotFound(name())));
        assert_eq!(resolve(&guard, "a.test").await, Err(Refusal::NotFound(name())));
        assert!(resolve(&guard, "a.test").await.is_ok());
        assert_eq!(lookups.load(Ordering::SeqCst), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn dns_cache_is_bounded() {
        let (guard, lookups) = fake_guard([ips(&["1.1.1.1"])]);
        for number in 0..CAPACITY + 10 {
            resolve(&guard, &format!("{number}.test")).await.unwrap();
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(guard.dns.len(), CAPACITY);
        resolve(&guard, &format!("{}.test", CAPACITY + 9)).await.unwrap();
        assert_eq!(
            lookups.load(Ordering::SeqCst),
            CAPACITY + 10,
            "the newest name was evicted"
        );
    }

    #[tokio::test]
    async fn http_client_gets_permitted_addresses_or_the_refusal() {
        use reqwest::dns::Resolve;

        let (guard, _) = fake_guard([ips(&["10.0.0.1"])]);
        let Err(error) = Resolve::resolve(&guard, "a.test".parse().unwrap()).await else {
            panic!("not blocked")
        };
        assert_eq!(
            error.downcast_ref(),
            Some(&Refusal::Blocked("10.0.0.1".parse().unwrap()))
        );
        let (guard, _) = fake_guard([ips(&["1.1.1.1"])]);
        let addresses = Resolve::resolve(&guard, "a.test".parse().unwrap()).await.unwrap();
        assert_eq!(addresses.collect::<Vec<_>>(), ["1.1.1.1:0".parse().unwrap()]);
    }

    #[tokio::test]
    async fn advice_names_the_problem_of_a_url() {
        let advise = async |answer, url: &str| {
            let (guard, _) = fake_guard([answer]);
            let url = EndpointUrl::parse(url, Transport::HttpAllowed).unwrap();
            guard
                .advise(&url)
                .await
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert!(advise(ips(&["1.1.1.1"]), "https://a.test/").await.is_empty());
        assert_eq!(
            advise(ips(&["1.1.1.1"]), "http://a.test/").await,
            ["Without https, calls are signed but not encrypted."]
        );
        assert_eq!(
            advise(ips(&["10.0.0.7"]), "https://a.test/").await,
            ["This URL leads to 10.0.0.7, which is not a public address. Calls will be blocked."]
        );
        assert_eq!(
            advise(Err(LookupError::NotFound), "https://a.test/").await,
            ["a.test does not resolve to any address. Check the spelling."]
        );
        assert_eq!(
            advise(Err(LookupError::NotFound), "http://192.168.0.1/")
                .await
                .len(),
            2
        );
    }

    #[tokio::test]
    async fn http_to_localhost_gets_no_advice() {
        let guard = Guard::new(nets(&["127.0.0.0/8"]));
        let url = EndpointUrl::parse("http://127.0.0.1:4040/", Transport::HttpAllowed).unwrap();
        assert_eq!(guard.advise(&url).await, []);
    }

    #[tokio::test(start_paused = true)]
    async fn advice_does_not_wait_for_a_slow_lookup() {
        struct HangingLookup;
        #[async_trait]
        impl Lookup for HangingLookup {
            async fn lookup(&self, _: &str) -> Result<Vec<IpAddr>, LookupError> {
                std::future::pending().await
            }
        }
        let guard = Guard::with_lookup(Vec::new(), HangingLookup);
        let url = EndpointUrl::parse("https://a.test/", Transport::HttpsOnly).unwrap();
        assert_eq!(guard.advise(&url).await, []);
    }
}
