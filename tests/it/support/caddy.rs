//! A real Caddy, with a temporary configuration.

use std::fs;

use rustls::pki_types::CertificateDer;
use tempfile::TempDir;

use super::{
    certificate::{Certificate, Identity},
    guarded::Guarded,
};

/// A running server.
pub struct Caddy {
    /// The authority that issued its certificate.
    pub authority: CertificateDer<'static>,
    // Before the folder, so that it ends first.
    _server: Guarded,
    _folder: TempDir,
}

/// No site but that of the test, and no certificate from the internet.
const OPTIONS: &str = "{
    admin off
    auto_https disable_redirects
    default_bind 127.0.0.1
    default_sni 127.0.0.1
}
";

impl Caddy {
    /// Starts Caddy with this site, which listens on `port`. Its certificate is in `certificate.pem` and `key.pem`.
    pub async fn start(port: u16, site: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::make(Certificate::Good);
        identity.write_pem(folder.path());
        fs::write(folder.path().join("Caddyfile"), OPTIONS.to_owned() + site).unwrap();
        let command = ["caddy", "run", "--config", "Caddyfile"];
        Self {
            authority: identity.authority,
            _server: Guarded::start(&command, folder.path(), port).await,
            _folder: folder,
        }
    }
}
