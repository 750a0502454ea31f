//! What exactly went wrong in an attempt.

use std::fmt;

use strum::{EnumString, IntoStaticStr, VariantArray};

/// What exactly went wrong in an attempt, beside its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptDetail {
    /// A problem with the receiver's TLS. It is stored as its code.
    Tls(TlsTrouble),
    /// A sentence without a full stop, such as an error of the operating system. It is only shown, never parsed.
    Text(String),
}

impl fmt::Display for AttemptDetail {
    /// Writes a sentence without a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls(trouble) => trouble.sentence(),
            Self::Text(text) => text,
        })
    }
}

impl From<TlsTrouble> for AttemptDetail {
    fn from(trouble: TlsTrouble) -> Self {
        Self::Tls(trouble)
    }
}

impl From<String> for AttemptDetail {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A problem with a receiver's TLS. The database stores its code, such as `certificate-expired`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum TlsTrouble {
    CertificateExpired,
    CertificateNotYetValid,
    WrongName,
    UnknownIssuer,
    CertificateRevoked,
    NotForServers,
    UnreadableCertificate,
    WrongSignature,
    /// The certificate of an authority, presented as that of a server: most self-signed ones are made like this.
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

impl TlsTrouble {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns a sentence without a full stop.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::CertificateExpired => "The certificate has expired",
            Self::CertificateNotYetValid => "The certificate is not valid yet",
            Self::WrongName => "The certificate is for another name",
            Self::UnknownIssuer => "The certificate's issuer is not trusted",
            Self::CertificateRevoked => "The certificate has been revoked",
            Self::NotForServers => "The certificate is not meant for servers",
            Self::UnreadableCertificate => "The certificate cannot be read",
            Self::WrongSignature => "The certificate's signature is wrong",
            Self::SelfSigned => "The certificate is self-signed, or not made for a server",
            Self::UnacceptableCertificate => "The certificate is not acceptable",
            Self::NoCertificate => "The receiver showed no certificate",
            Self::NoTls => "The receiver does not speak TLS on this port",
            Self::OldVersion => "The receiver speaks only versions of TLS that are no longer safe",
            Self::NothingInCommon => "The receiver and we have no kind of TLS in common",
            Self::NoHttp => "The receiver speaks neither HTTP/1.1 nor HTTP/2",
            Self::ClosedDuringHandshake => "The receiver closed the connection during the TLS handshake",
            Self::HandshakeFailed => "The TLS handshake failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_troubles_are_stored_as_codes() {
        for &trouble in TlsTrouble::VARIANTS {
            let code = trouble.as_str();
            assert!(
                code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{code}"
            );
            assert_eq!(code.parse(), Ok(trouble));
            assert!(trouble.sentence().parse::<TlsTrouble>().is_err());
        }
        assert_eq!(TlsTrouble::CertificateExpired.as_str(), "certificate-expired");
        assert_eq!(TlsTrouble::NoTls.as_str(), "no-tls");
    }
}
