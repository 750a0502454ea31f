//! nginx as a proxy in front of a server, with a temporary configuration.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::Arc,
};

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::{
    app::eventually,
    browser::Browser,
    certificate::{Certificate, Identity},
};

const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// Runs nginx until standard input is closed, so it also ends if the tests are killed.
const GUARDIAN: &str = r#"
PATH=$PATH:/usr/sbin
nginx -p "$1" -c "$1/nginx.conf" -e "$1/log" </dev/null >/dev/null 2>&1 &
server=$!
read -r _
kill $server
wait $server
"#;

/// How browsers reach the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// How the proxy is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxying {
    /// Only `proxy_pass`.
    Defaults,
    /// As `docs/operations.md` recommends.
    Recommended,
}

/// A port for a proxy that is not running yet, so that the server behind it can know its URL.
#[derive(Debug, Clone, Copy)]
pub struct Front {
    scheme: Scheme,
    port: u16,
}

impl Front {
    pub fn reserve(scheme: Scheme) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { scheme, port }
    }

    /// The origin of the proxy in browsers.
    pub fn origin(self) -> String {
        match self.scheme {
            Scheme::Http => format!("http://127.0.0.1:{}", self.port),
            Scheme::Https => format!("https://127.0.0.1:{}", self.port),
        }
    }

    /// Starts nginx here, in front of the server at `upstream`.
    pub async fn start(self, proxying: Proxying, upstream: &str) -> Nginx {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::make(Certificate::Good);
        let (certificate, key) = identity.pem();
        fs::write(folder.path().join("certificate.pem"), certificate).unwrap();
        fs::write(folder.path().join("key.pem"), key).unwrap();
        let server = match proxying {
            Proxying::Defaults => self.default_server(upstream),
            Proxying::Recommended => self.recommended_server(upstream),
        };
        fs::write(folder.path().join("nginx.conf"), configuration(&server)).unwrap();
        let mut guardian = Command::new("bash")
            .args(["-c", GUARDIAN, "guardian"])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let nginx = Nginx {
            origin: self.origin(),
            client: client(&identity),
            stdin: guardian.stdin.take(),
            guardian,
            folder,
        };
        let started = eventually(|| async {
            let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await;
            connection.is_ok().then_some(())
        });
        let started = started.await;
        started.unwrap_or_else(|| panic!("nginx did not start: {}", nginx.log()));
        nginx
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
        let (_, rest) = OPERATIONS
            .split_once("```nginx\n")
            .expect("the guide configures nginx");
        let (text, _) = rest.split_once("```").unwrap();
        let replace = |text: &str, old: &str, new: &str| {
            assert_eq!(text.matches(old).count(), 1, "{old} in {text}");
            text.replace(old, new)
        };
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

    fn listen(self) -> String {
        let ssl = match self.scheme {
            Scheme::Http => "",
            Scheme::Https => " ssl",
        };
        format!("127.0.0.1:{}{ssl}", self.port)
    }
}

fn configuration(server: &str) -> String {
    // A single process, which ends with the guardian. It writes only to its folder.
    format!(
        "daemon off; master_process off; pid nginx.pid;
         events {{}}
         http {{
             access_log off;
             client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
             uwsgi_temp_path uwsgi; scgi_temp_path scgi;
             {server}
         }}"
    )
}

/// Returns a client that trusts the authority of the certificate.
#[expect(
    clippy::disallowed_methods,
    reason = "trusts another authority than the clients of the program"
)]
fn client(identity: &Identity) -> reqwest::Client {
    let mut roots = RootCertStore::empty();
    roots.add(identity.authority.clone()).unwrap();
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
pub struct Nginx {
    pub origin: String,
    pub client: reqwest::Client,
    stdin: Option<ChildStdin>,
    guardian: Child,
    folder: TempDir,
}

impl Nginx {
    pub fn browser(&self) -> Browser {
        Browser::new(self.client.clone(), self.origin.clone())
    }

    fn log(&self) -> String {
        let path: &Path = self.folder.path();
        fs::read_to_string(path.join("log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.guardian.wait();
    }
}
