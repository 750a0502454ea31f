//! Parses the signature headers in pasted text.

/// The three headers of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastedHeaders {
    pub id: String,
    pub timestamp: String,
    pub signature: String,
}

impl PastedHeaders {
    /// Finds the headers in text with one header per line, in the syntax of HTTP, curl, JSON or common log formats. Missing
    /// headers are empty.
    pub fn parse(text: &str) -> Self {
        Self {
            id: header(text, "webhook-id"),
            timestamp: header(text, "webhook-timestamp"),
            signature: header(text, "webhook-signature"),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.id.is_empty() && self.timestamp.is_empty() && self.signature.is_empty()
    }
}

fn header(text: &str, name: &str) -> String {
    let value = text.lines().find_map(|line| {
        let start = line.to_ascii_lowercase().find(name)? + name.len();
        line.get(start..)
    });
    // `=` is trimmed only at the start, because Base64 may end with it.
    value
        .unwrap_or_default()
        .trim_start_matches([' ', '\t', '"', '\'', ':', '=', '>', '['])
        .trim_end_matches([' ', '\t', '\r', '"', '\'', ',', ';', '\\', ']'])
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_headers_in_common_formats() {
        let expected = PastedHeaders {
            id: "evt_1".to_owned(),
            timestamp: "1795428000".to_owned(),
            signature: "v1,AAA= v1,BBB=".to_owned(),
        };
        for pasted in [
            "webhook-id: evt_1\r\nwebhook-timestamp: 1795428000\r\nwebhook-signature: v1,AAA= v1,BBB=\r\n",
            "content-type: application/json\nWebhook-Signature:v1,AAA= v1,BBB=\nWebhook-Id:evt_1\nWebhook-Timestamp:1795428000",
            "curl -H 'webhook-id: evt_1' \\\n -H 'webhook-timestamp: 1795428000' \\\n -H 'webhook-signature: v1,AAA= v1,BBB='",
            "{\n  \"webhook-id\": \"evt_1\",\n  \"webhook-timestamp\": \"1795428000\",\n  \"webhook-signature\": \"v1,AAA= v1,BBB=\"\n}",
            "'webhook-id' => ['evt_1'],\n'webhook-timestamp' => ['1795428000'],\n'webhook-signature' => ['v1,AAA= v1,BBB='],",
        ] {
            assert_eq!(PastedHeaders::parse(pasted), expected, "{pasted}");
        }
        assert!(PastedHeaders::parse("content-type: text/plain").is_empty());
        assert!(PastedHeaders::parse("webhook-id").is_empty());
    }
}
