//! Details of failed attempts.

use std::fmt;

use strum::{EnumString, IntoStaticStr, VariantArray};

/// Description of a failure, in addition to the outcome of the attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptDetail {
    /// Problem with the receiver's TLS, stored as a code.
    Tls(TlsProblem),
    /// Sentence without a full stop, such as an error of the operating system. It is only displayed, never parsed.
    Text(String),
}

impl fmt::Display for AttemptDetail {
    /// Writes a sentence without a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls(problem) => problem.sentence(),
            Self::Text(text) => text,
        })
    }
}

impl From<TlsProblem> for AttemptDetail {
    fn from(problem: TlsProblem) -> Self {
        Self::Tls(problem)
    }
}

impl From<String> for AttemptDetail {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Problem with a receiver's TLS. The database stores its code, such as `certificate-expired`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum TlsProblem {
    CertificateExpired,
    CertificateNotYetValid,
    WrongName,
    UnknownIssuer,
    CertificateRevoked,
    NotForServers,
    UnreadableCertificate,
    WrongSignature,
    UnsupportedSignature,
    /// The server presented the certificate of an authority, as most self-signed certificates are.
    SelfSigned,
    UnacceptableCertificate,
    NoCertificate,
    NoTls,
    OldVersion,
    NothingInCommon,
    NoHttp,
    ClosedDuringHandshake,
    HandshakeFailed,
}

impl TlsProblem {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns a sentence without a full stop.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::CertificateExpired => "The certificate has expired",
            Self::CertificateNotYetValid => "The certificate is not valid yet",
            Self::WrongName => "The certificate is for a different name",
            Self::UnknownIssuer => "The certificate's issuer is not trusted",
            Self::CertificateRevoked => "The certificate has been revoked",
            Self::NotForServers => "The certificate is not for server authentication",
            Self::UnreadableCertificate => "The certificate cannot be parsed",
            Self::WrongSignature => "The certificate's signature is invalid",
            Self::UnsupportedSignature => {
                "The certificate has a key or signature that Caleida does not support"
            }
            Self::SelfSigned => "The certificate is self-signed or not a server certificate",
            Self::UnacceptableCertificate => "The certificate is invalid",
            Self::NoCertificate => "The receiver sent no certificate",
            Self::NoTls => "The receiver does not use TLS on this port",
            Self::OldVersion => "The receiver supports only insecure TLS versions",
            Self::NothingInCommon => "The receiver supports no TLS parameters that Caleida accepts",
            Self::NoHttp => "The receiver supports neither HTTP/1.1 nor HTTP/2",
            Self::ClosedDuringHandshake => "The receiver closed the connection during the TLS handshake",
            Self::HandshakeFailed => "The TLS handshake failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_problems_are_stored_as_codes() {
        for &problem in TlsProblem::VARIANTS {
            let code = problem.as_str();
            assert!(
                code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{code}"
            );
            assert_eq!(code.parse(), Ok(problem));
            assert!(problem.sentence().parse::<TlsProblem>().is_err());
        }
        assert_eq!(TlsProblem::CertificateExpired.as_str(), "certificate-expired");
        assert_eq!(TlsProblem::NoTls.as_str(), "no-tls");
    }
}
