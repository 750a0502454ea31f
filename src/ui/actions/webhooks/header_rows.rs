//! The headers of a webhook as rows of its form.
//!
//! Each row has three fields: its kind, a name and a value. Without JavaScript too, rows are added and removed by
//! buttons that submit the form.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use strum::{EnumString, IntoStaticStr};
use zeroize::Zeroizing;

use crate::domain::custom_header::HeaderDraft;

/// How a row is entered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum HeaderKind {
    /// A name and a value.
    #[default]
    Header,
    /// A token for `Authorization: Bearer`.
    Bearer,
    /// A user and a password for `Authorization: Basic`.
    Basic,
}

#[derive(Clone, Default)]
pub struct HeaderRow {
    pub kind: HeaderKind,
    /// The name, or the user.
    pub name: String,
    /// The value, the token or the password. If it is empty, the saved value is kept.
    pub value: Zeroizing<String>,
}

impl HeaderKind {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl HeaderRow {
    /// Returns an empty row.
    pub fn new(kind: HeaderKind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    /// Returns the row of a saved header.
    pub fn saved(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    pub fn draft(&self) -> HeaderDraft {
        let value = match self.kind {
            _ if self.value.trim().is_empty() => return HeaderDraft::kept(self.header_name()),
            HeaderKind::Header => self.value.clone(),
            HeaderKind::Bearer => Zeroizing::new(format!("Bearer {}", self.value.trim())),
            HeaderKind::Basic => {
                let pair = Zeroizing::new(format!("{}:{}", self.name, *self.value));
                Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes())))
            }
        };
        HeaderDraft {
            name: self.header_name().to_owned(),
            value: Some(value),
        }
    }

    /// Returns the name of the header that the row sets.
    fn header_name(&self) -> &str {
        match self.kind {
            HeaderKind::Header => &self.name,
            HeaderKind::Bearer | HeaderKind::Basic => "authorization",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortcuts_build_authorization_headers() {
        for (kind, name, value, expected) in [
            (HeaderKind::Header, "X-Tenant", "7", ("X-Tenant", Some("7"))),
            (HeaderKind::Header, "X-Tenant", " ", ("X-Tenant", None)),
            (
                HeaderKind::Bearer,
                "",
                " abc ",
                ("authorization", Some("Bearer abc")),
            ),
            (HeaderKind::Bearer, "", "", ("authorization", None)),
            // The example of RFC 7617.
            (
                HeaderKind::Basic,
                "Aladdin",
                "open sesame",
                ("authorization", Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),
            ),
            (
                HeaderKind::Basic,
                "test",
                "123£",
                ("authorization", Some("Basic dGVzdDoxMjPCow==")),
            ),
        ] {
            let row = HeaderRow {
                kind,
                name: name.to_owned(),
                value: Zeroizing::new(value.to_owned()),
            };
            let draft = row.draft();
            let value = draft.value.as_ref().map(|value| value.as_str());
            assert_eq!((draft.name.as_str(), value), expected);
        }
    }
}
