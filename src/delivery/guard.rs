//! Where requests may go: the guard against server-side request forgery.
//!
//! It judges socket addresses, never strings: a URL is parsed once, its host is resolved once, **all** answers are
//! judged, and the connection goes to the judged addresses and to no others. A name that answers differently the next
//! time is judged anew the next time.

mod names;
mod registry;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ipnet::IpNet;
use url::Host;

use self::names::{Names, SystemLookup};
pub use self::{
    names::{Lookup, LookupError},
    registry::is_public,
};
use crate::domain::EndpointUrl;

/// How long the form waits for an advice about a host; an answer that takes longer comes too late to help.
const ADVICE_PATIENCE: Duration = Duration::from_secs(3);

/// Knows which addresses may be connected to. Clones share what has been looked up.
#[derive(Clone)]
pub struct Guard {
    allow: Arc<[IpNet]>,
    names: Arc<Names>,
}

impl Guard {
    /// A guard that permits public addresses and those in the `allow`ed networks.
    pub fn new(allow: Vec<IpNet>) -> Self {
        Self::with_lookup(allow, SystemLookup)
    }

    /// The same with a name service of one's own.
    pub fn with_lookup(allow: Vec<IpNet>, lookup: impl Lookup) -> Self {
        Self {
            allow: allow.into(),
            names: Arc::new(Names::new(lookup)),
        }
    }

    /// Whether a connection to this address may be made. Never to a cloud's metadata, even in an allowed network.
    pub fn permits(&self, ip: IpAddr) -> bool {
        is_public(ip)
            || (self.allow.iter().any(|network| network.contains(&ip)) && !registry::is_metadata(ip))
    }

    /// Judges a URL whose host is written as an address; one with a name is judged when the name is resolved.
    pub fn judge_literal(&self, url: &EndpointUrl) -> Result<(), Refusal> {
        let ip = match url.as_url().host() {
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

    /// The addresses of a host, all of them permitted; one that is not spoils them all, or an attacker could hide it
    /// among good ones and wait until it is that one's turn.
    pub async fn resolve(&self, host: Host<&str>, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
        let addresses: Arc<[IpAddr]> = match host {
            Host::Ipv4(ip) => [IpAddr::V4(ip)].into(),
            Host::Ipv6(ip) => [IpAddr::V6(ip)].into(),
            Host::Domain(name) => self.names.addresses(name).await.map_err(|error| match error {
                LookupError::NotFound => Refusal::NotFound(name.to_owned()),
                LookupError::Unavailable => Refusal::LookupFailed(name.to_owned()),
            })?,
        };
        match addresses.iter().find(|ip| !self.permits(**ip)) {
            Some(&ip) => Err(Refusal::Blocked(ip)),
            None => Ok(addresses.iter().map(|&ip| SocketAddr::new(ip, port)).collect()),
        }
    }

    /// What the owner of a URL should know before saving it; nothing if all is well.
    pub async fn advise(&self, url: &EndpointUrl) -> Vec<Advice> {
        let Some(host) = url.as_url().host() else {
            return Vec::new();
        };
        let port = url.as_url().port_or_known_default().unwrap_or_default();
        let resolved = tokio::time::timeout(ADVICE_PATIENCE, self.resolve(host, port)).await;
        let on_this_machine =
            matches!(&resolved, Ok(Ok(addresses)) if addresses.iter().all(|at| at.ip().is_loopback()));
        let readable = (!url.is_https() && !on_this_machine).then_some(Advice::Readable);
        let refused = resolved.ok().and_then(Result::err).map(Advice::Refused);
        readable.into_iter().chain(refused).collect()
    }
}

/// Why nothing is sent to a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0} does not resolve to any address")]
    NotFound(String),
    #[error("{0} is not a public address, so nothing was sent")]
    Blocked(IpAddr),
    #[error("The name service did not answer for {0}")]
    LookupFailed(String),
}

/// What the form says below a URL that is well formed, but not well chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Advice {
    #[error("Without https, calls are signed, but can be read on the way.")]
    Readable,
    #[error("{}", explain(.0))]
    Refused(Refusal),
}

fn explain(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotFound(name) => format!("{name} does not resolve to any address: check its spelling."),
        Refusal::Blocked(ip) => {
            format!("This leads to {ip}, which is not a public address: calls will be refused.")
        }
        Refusal::LookupFailed(name) => format!("{name} could not be resolved. Try again in a moment."),
    }
}

/// The HTTP client connects to what this returns. It never asks about hosts that are IP addresses: the sender judges
/// those itself.
impl reqwest::dns::Resolve for Guard {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let guard = self.clone();
        Box::pin(async move {
            // Port 0 stands for the one in the URL.
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
        names::{CAPACITY, REMEMBERED},
        *,
    };
    use crate::domain::Transport;

    /// Gives the scripted answers one after the other, then the last one for ever.
    struct Script {
        answers: Mutex<VecDeque<Result<Vec<IpAddr>, LookupError>>>,
        asked: Arc<AtomicUsize>,
    }

    #[async_trait]
    impl Lookup for Script {
        async fn lookup(&self, _: &str) -> Result<Vec<IpAddr>, LookupError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
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

    fn scripted<const N: usize>(answers: [Result<Vec<IpAddr>, LookupError>; N]) -> (Guard, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let script = Script {
            answers: Mutex::new(answers.into()),
            asked: Arc::clone(&asked),
        };
        (Guard::with_lookup(Vec::new(), script), asked)
    }

    async fn resolve(guard: &Guard, name: &str) -> Result<Vec<SocketAddr>, Refusal> {
        guard.resolve(Host::Domain(name), 443).await
    }

    #[test]
    fn an_allowed_network_opens_its_addresses_and_no_others() {
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
    fn metadata_is_never_permitted_even_when_everything_is_allowed() {
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
    async fn a_host_that_is_an_address_is_judged_without_a_lookup() {
        let (guard, asked) = scripted([Err(LookupError::NotFound)]);
        let literal = |text: &str| url::Url::parse(text).unwrap();
        // The URL standard reads all of these as 127.0.0.1 or its IPv6 disguises.
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
            assert_eq!(guard.judge_literal(&url), Err(refusal));
        }
        let url = literal("https://1.1.1.1/");
        assert_eq!(
            guard.resolve(url.host().unwrap(), 443).await,
            Ok(vec!["1.1.1.1:443".parse().unwrap()])
        );
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn one_bad_answer_spoils_them_all() {
        let (guard, _) = scripted([ips(&["1.1.1.1", "10.0.0.1", "2606:4700::1111"])]);
        let refusal = resolve(&guard, "mixed.test").await;
        assert_eq!(refusal, Err(Refusal::Blocked("10.0.0.1".parse().unwrap())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_changes_its_answer_is_judged_anew() {
        let (guard, asked) = scripted([ips(&["1.1.1.1"]), ips(&["169.254.169.254"])]);
        assert_eq!(
            resolve(&guard, "rebinding.test").await,
            Ok(vec!["1.1.1.1:443".parse().unwrap()])
        );
        tokio::time::advance(REMEMBERED - Duration::from_millis(1)).await;
        assert_eq!(
            resolve(&guard, "rebinding.test").await,
            Ok(vec!["1.1.1.1:443".parse().unwrap()])
        );
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        let refusal = resolve(&guard, "rebinding.test").await;
        assert_eq!(refusal, Err(Refusal::Blocked("169.254.169.254".parse().unwrap())));
    }

    #[tokio::test]
    async fn those_who_ask_at_once_share_one_lookup() {
        let (guard, asked) = scripted([ips(&["1.1.1.1"])]);
        let (a, b, c) = tokio::join!(
            resolve(&guard, "a.test"),
            resolve(&guard, "a.test"),
            resolve(&guard, "a.test")
        );
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_failure_is_told_apart_and_not_remembered() {
        let (guard, asked) = scripted([
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
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_for_names_is_bounded() {
        let (guard, asked) = scripted([ips(&["1.1.1.1"])]);
        for number in 0..CAPACITY + 10 {
            resolve(&guard, &format!("{number}.test")).await.unwrap();
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(guard.names.remembered(), CAPACITY);
        resolve(&guard, &format!("{}.test", CAPACITY + 9)).await.unwrap();
        assert_eq!(
            asked.load(Ordering::SeqCst),
            CAPACITY + 10,
            "the newest name was forgotten"
        );
    }

    #[tokio::test]
    async fn the_http_client_is_given_vetted_addresses_or_the_reason() {
        use reqwest::dns::Resolve;

        let (guard, _) = scripted([ips(&["10.0.0.1"])]);
        let Err(error) = Resolve::resolve(&guard, "a.test".parse().unwrap()).await else {
            panic!("let through")
        };
        assert_eq!(
            error.downcast_ref(),
            Some(&Refusal::Blocked("10.0.0.1".parse().unwrap()))
        );
        let (guard, _) = scripted([ips(&["1.1.1.1"])]);
        let addresses = Resolve::resolve(&guard, "a.test".parse().unwrap()).await.unwrap();
        assert_eq!(addresses.collect::<Vec<_>>(), ["1.1.1.1:0".parse().unwrap()]);
    }

    #[tokio::test]
    async fn a_url_is_advised_on_in_plain_words() {
        let advise = async |answer, url: &str| {
            let (guard, _) = scripted([answer]);
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
            ["Without https, calls are signed, but can be read on the way."]
        );
        assert_eq!(
            advise(ips(&["10.0.0.7"]), "https://a.test/").await,
            ["This leads to 10.0.0.7, which is not a public address: calls will be refused."]
        );
        assert_eq!(
            advise(Err(LookupError::NotFound), "https://a.test/").await,
            ["a.test does not resolve to any address: check its spelling."]
        );
        assert_eq!(
            advise(Err(LookupError::NotFound), "http://192.168.0.1/")
                .await
                .len(),
            2
        );
    }

    #[tokio::test]
    async fn http_to_this_very_machine_needs_no_warning() {
        let guard = Guard::new(nets(&["127.0.0.0/8"]));
        let url = EndpointUrl::parse("http://127.0.0.1:4040/", Transport::HttpAllowed).unwrap();
        assert_eq!(guard.advise(&url).await, []);
    }

    #[tokio::test(start_paused = true)]
    async fn an_advice_does_not_wait_for_a_slow_name_service() {
        struct Silent;
        #[async_trait]
        impl Lookup for Silent {
            async fn lookup(&self, _: &str) -> Result<Vec<IpAddr>, LookupError> {
                std::future::pending().await
            }
        }
        let guard = Guard::with_lookup(Vec::new(), Silent);
        let url = EndpointUrl::parse("https://a.test/", Transport::HttpsOnly).unwrap();
        assert_eq!(guard.advise(&url).await, []);
    }
}
