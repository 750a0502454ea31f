//! The description of the API, as its page shows it.

use std::sync::OnceLock;

use bytes::Bytes;

use super::document::Document;

/// What the page is made of, read once, when it is first asked for.
pub struct ApiDocs {
    /// As OpenAPI.
    description: Bytes,
    document: OnceLock<Document>,
}

impl ApiDocs {
    pub fn new(description: Bytes) -> Self {
        Self {
            description,
            document: OnceLock::new(),
        }
    }

    pub fn document(&self) -> &Document {
        self.document
            .get_or_init(|| serde_json::from_slice(&self.description).expect("it is read as it is written"))
    }
}
