//! nginx or Caddy as a proxy in front of a server.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};

use super::{browser::Browser, caddy::Caddy, free_port, nginx::Nginx};

const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// How browsers reach the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// The proxy and its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxying {
    /// nginx with only `proxy_pass`.
    NginxDefaults,
    /// nginx as `docs/operations.md` recommends.
    Nginx,
    /// Caddy as `docs/operations.md` recommends.
    Caddy,
}

impl Proxying {
    pub const ALL: [Self; 3] = [Self::NginxDefaults, Self::Nginx, Self::Caddy];
    pub const RECOMMENDED: [Self; 2] = [Self::Nginx, Self::Caddy];
}

/// A port for a proxy that is not running yet, so that the server behind it can know its URL.
#[derive(Debug, Clone, Copy)]
pub struct Front {
    scheme: Scheme,
    port: u16,
}

impl Front {
    pub fn reserve(scheme: Scheme) -> Self {
        Self {
            scheme,
            port: free_port(),
        }
    }

    /// The origin of the proxy in browsers.
    pub fn origin(self) -> String {
        match self.scheme {
            Scheme::Http => format!("http://127.0.0.1:{}", self.port),
            Scheme::Https => format!("https://127.0.0.1:{}", self.port),
        }
    }

    /// Starts the proxy here, in front of the server at `upstream`.
    pub async fn start(self, proxying: Proxying, upstream: &str) -> Proxy {
        let (server, authority) = match proxying {
            Proxying::NginxDefaults => self.nginx(&self.default_server(upstream)).await,
            Proxying::Nginx => self.nginx(&self.recommended_server(upstream)).await,
            Proxying::Caddy => {
                let caddy = Caddy::start(self.port, &self.recommended_site(upstream)).await;
                let authority = caddy.authority.clone();
                (Server::Caddy(caddy), authority)
            }
        };
        Proxy {
            origin: self.origin(),
            client: client(authority),
            _server: server,
        }
    }

    async fn nginx(self, server: &str) -> (Server, CertificateDer<'static>) {
        let nginx = Nginx::start(self.port, server).await;
        let authority = nginx.authority.clone();
        (Server::Nginx(nginx), authority)
    }

    fn default_server(self, upstream: &str) -> String {
        let tls = match self.scheme {
            Scheme::Http => "",
            Scheme::Https => "ssl_certificate certificate.pem; ssl_certificate_key key.pem;",
        };
        let listen = self.listen();
        format!("server {{ listen {listen}; {tls} location / {{ proxy_pass http://{upstream}; }} }}")
    }

    /// Returns the configuration in `docs/operations.md`, with the addresses and files of the test.
    fn recommended_server(self, upstream: &str) -> String {
        let text = configuration("nginx");
        let text = replace(text, "server 127.0.0.1:3000;", &format!("server {upstream};"));
        let text = replace(&text, "listen 443 ssl;", &format!("listen {};", self.listen()));
        match self.scheme {
            Scheme::Https => {
                let text = replace(&text, "/etc/ssl/hooks.example.com.pem", "certificate.pem");
                replace(&text, "/etc/ssl/hooks.example.com.key", "key.pem")
            }
            Scheme::Http => {
                let lines = text
                    .lines()
                    .filter(|line| !line.trim().starts_with("ssl_certificate"));
                lines.collect::<Vec<_>>().join("\n")
            }
        }
    }

    /// Returns the site in `docs/operations.md`, with the address and certificate of the test.
    fn recommended_site(self, upstream: &str) -> String {
        let tls = match self.scheme {
            Scheme::Http => "",
            Scheme::Https => "tls certificate.pem key.pem",
        };
        let text = configuration("caddyfile");
        let text = replace(text, "127.0.0.1:3000", upstream);
        let site = format!("{} {{\n    {tls}", self.origin());
        replace(&text, "hooks.example.com {", &site)
    }

    fn listen(self) -> String {
        let ssl = match self.scheme {
            Scheme::Http => "",
            Scheme::Https => " ssl",
        };
        format!("127.0.0.1:{}{ssl}", self.port)
    }
}

/// Returns the code block in `docs/operations.md` that configures a proxy.
fn configuration(language: &str) -> &'static str {
    let (_, rest) = OPERATIONS
        .split_once(&format!("```{language}\n"))
        .expect("the guide configures this proxy");
    rest.split_once("```").unwrap().0
}

fn replace(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "{old} in {text}");
    text.replace(old, new)
}

/// Returns a client that trusts the authority of the certificate.
#[expect(
    clippy::disallowed_methods,
    reason = "trusts another authority than the clients of the program"
)]
fn client(authority: CertificateDer<'static>) -> reqwest::Client {
    let mut roots = RootCertStore::empty();
    roots.add(authority).unwrap();
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

/// A running proxy.
pub struct Proxy {
    pub origin: String,
    pub client: reqwest::Client,
    _server: Server,
}

#[expect(dead_code, reason = "they run until they are dropped")]
enum Server {
    Nginx(Nginx),
    Caddy(Caddy),
}

impl Proxy {
    pub fn browser(&self) -> Browser {
        Browser::new(self.client.clone(), self.origin.clone())
    }
}
