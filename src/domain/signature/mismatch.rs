//! Explains why a signature does not match, by trying common mistakes.

use super::{SignatureStatus, verify_in_detail};
use crate::domain::{Secret, Timestamp};

/// Returns the change that makes the signature match, if the cause is a common mistake.
pub fn explain_mismatch(
    secret: &Secret,
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &str,
) -> Option<&'static str> {
    let matches = |secret: &Secret, body: &str| {
        let now = Timestamp::from_millis(0);
        let found = verify_in_detail(secret, id, timestamp, signature, body.as_bytes(), now);
        found.signatures.contains(&SignatureStatus::Matches)
    };
    let prefixed = || Secret::parse(&format!("{}{}", Secret::PREFIX, secret.reveal())).ok();
    if matches(secret, body.trim_end_matches(['\r', '\n'])) {
        Some(
            "The signature matches without the line break at the end of the body. Verify the exact bytes, without additions of an \
             editor.",
        )
    } else if matches(secret, body.trim()) {
        Some("The signature matches without the spaces around the body. Verify the exact bytes.")
    } else if matches(secret, &compact(body)) {
        Some(
            "The signature matches without the whitespace in the JSON, so the body was parsed and serialized again. Verify the \
             exact bytes, before any parsing.",
        )
    } else if matches(secret, &body.replace('\n', "\r\n")) {
        Some("The signature matches with CRLF line breaks, which a text field does not preserve.")
    } else if secret.is_raw_text() && prefixed().is_some_and(|secret| matches(&secret, body)) {
        Some("The signature matches with whsec_ before the secret. The prefix is part of the secret.")
    } else {
        None
    }
}

/// Removes insignificant whitespace from JSON.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |character: &char| {
        if escaped {
            escaped = false;
        } else if in_string && *character == '\\' {
            escaped = true;
        } else if *character == '"' {
            in_string = !in_string;
        }
        in_string || !character.is_ascii_whitespace()
    };
    json.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::signature::sign;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &str = r#"{"a":"b \" c","d":[1,2]}"#;

    #[test]
    fn common_mistakes_are_recognized() {
        let secret = Secret::parse(SECRET).unwrap();
        let signature = sign("evt_1", 1, BODY.as_bytes(), [&secret]);
        let hint = |secret: &Secret, body: &str| explain_mismatch(secret, "evt_1", "1", &signature, body);
        assert!(
            hint(&secret, &format!("{BODY}\r\n"))
                .unwrap()
                .contains("line break")
        );
        assert!(
            hint(&secret, &format!("  {BODY}"))
                .unwrap()
                .contains("spaces around")
        );
        let pretty = "{\n  \"a\": \"b \\\" c\",\n  \"d\": [1, 2]\n}";
        assert!(hint(&secret, pretty).unwrap().contains("whitespace"));
        let bare = Secret::parse(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
        assert!(hint(&bare, BODY).unwrap().contains("whsec_"));
        assert_eq!(hint(&secret, &BODY.replace("b ", "b  ")), None);

        let lines = "{\r\n}";
        let signature = sign("evt_1", 1, lines.as_bytes(), [&secret]);
        let crlf = explain_mismatch(&secret, "evt_1", "1", &signature, "{\n}").unwrap();
        assert!(crlf.contains("CRLF"));
    }
}
