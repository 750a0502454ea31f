//! The three headers of a call, as somebody has copied them from wherever they saw them.

/// What was pasted, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    pub id: String,
    pub timestamp: String,
    pub signature: String,
}

impl Headers {
    /// One on a line, as HTTP writes them, or as curl, JSON or most languages' logs do. One that is not there is empty.
    pub fn find(text: &str) -> Self {
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
    // Base64 ends with =, so that only goes from the beginning.
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
    fn headers_are_found_however_they_were_written_down() {
        let expected = Headers {
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
            assert_eq!(Headers::find(pasted), expected, "{pasted}");
        }
        assert!(Headers::find("content-type: text/plain").is_empty());
        assert!(Headers::find("webhook-id").is_empty());
    }
}
