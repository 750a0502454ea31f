//! Valid and invalid certificates from a test certificate authority.

use std::{fmt::Write, fs, path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tokio_rustls::TlsAcceptor;

/// Certificate that a receiver presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// Issued by the authority for `127.0.0.1` and `receiver.test`.
    Good,
    /// Self-signed, for the right names.
    SelfSigned,
    /// Issued by the authority for `elsewhere.test`.
    OtherName,
    /// Issued by the authority for the right names, and expired.
    Expired,
}

/// A receiver's certificate and private key.
pub struct Identity {
    /// The issuing authority.
    pub authority: CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    pub fn make(kind: Certificate) -> Self {
        let authority = authority();
        let names: &[&str] = match kind {
            Certificate::OtherName => &["elsewhere.test"],
            _ => &["127.0.0.1", "receiver.test"],
        };
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        if kind == Certificate::Expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = match kind {
            Certificate::SelfSigned => params.self_signed(&key),
            _ => params.signed_by(&key, &authority),
        };
        Self {
            authority: authority.as_ref().der().clone(),
            certificate: certificate.unwrap().der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }

    /// Writes `certificate.pem` and `key.pem` to a folder, for a server that reads such files.
    pub fn write_pem(&self, folder: &Path) {
        let certificate = pem("CERTIFICATE", &self.certificate);
        let key = pem("PRIVATE KEY", self.key.secret_der());
        fs::write(folder.join("certificate.pem"), certificate).unwrap();
        fs::write(folder.join("key.pem"), key).unwrap();
    }

    /// Returns a TLS acceptor that offers this protocol by ALPN.
    pub fn acceptor(&self, protocol: &[u8]) -> TlsAcceptor {
        self.acceptor_with(protocol, Arc::new(NoClientAuth))
    }

    /// Like [`Self::acceptor`], for clients with a certificate of this authority only.
    pub fn acceptor_for_known_clients(&self, protocol: &[u8]) -> TlsAcceptor {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        self.acceptor_with(protocol, verifier.build().unwrap())
    }

    fn acceptor_with(&self, protocol: &[u8], verifier: Arc<dyn ClientCertVerifier>) -> TlsAcceptor {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
            .unwrap();
        config.alpn_protocols = vec![protocol.to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        writeln!(text, "{}", str::from_utf8(line).unwrap()).unwrap();
    }
    writeln!(text, "-----END {label}-----").unwrap();
    text
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, "Test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}
