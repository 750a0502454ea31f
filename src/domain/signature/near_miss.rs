//! Why a signature does not match, found by trying what people get wrong most.

use super::{Token, examine};
use crate::domain::{Secret, Timestamp};

/// What has to be changed so that the signature matches, if it is one of the usual mistakes.
pub fn near_miss(
    secret: &Secret,
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &str,
) -> Option<&'static str> {
    let matches = |secret: &Secret, body: &str| {
        let now = Timestamp::from_millis(0);
        let found = examine(secret, id, timestamp, signature, body.as_bytes(), now);
        found.tokens.contains(&Token::Matches)
    };
    let prefixed = || Secret::parse(&format!("{}{}", Secret::PREFIX, secret.reveal())).ok();
    if matches(secret, body.trim_end_matches(['\r', '\n'])) {
        Some(
            "It matches without the line break at the end of the body: sign what came, and nothing that an editor adds.",
        )
    } else if matches(secret, body.trim()) {
        Some("It matches without the spaces around the body: verify the bytes as they came.")
    } else if matches(secret, &compact(body)) {
        Some(
            "It matches without the spaces and line breaks between the parts of the JSON: what you verify was parsed and \
             written again. Verify the bytes as they came, before any parsing.",
        )
    } else if matches(secret, &body.replace('\n', "\r\n")) {
        Some("It matches with the line breaks of the original (CRLF), which a text field does not keep.")
    } else if secret.is_own_text() && prefixed().is_some_and(|secret| matches(&secret, body)) {
        Some("It matches with whsec_ before the secret: it belongs to it.")
    } else {
        None
    }
}

/// JSON without what stands between its parts.
fn compact(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let keep = |character: &char| {
        if escaped {
            escaped = false;
        } else if in_text && *character == '\\' {
            escaped = true;
        } else if *character == '"' {
            in_text = !in_text;
        }
        in_text || !character.is_ascii_whitespace()
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
    fn the_usual_mistakes_are_recognised_and_others_are_not() {
        let secret = Secret::parse(SECRET).unwrap();
        let signature = sign("evt_1", 1, BODY.as_bytes(), [&secret]);
        let said = |secret: &Secret, body: &str| {
            near_miss(secret, "evt_1", "1", &signature, body).map(|text| &text[..40])
        };
        assert!(
            said(&secret, &format!("{BODY}\r\n"))
                .unwrap()
                .contains("line break")
        );
        assert!(
            said(&secret, &format!("  {BODY}"))
                .unwrap()
                .contains("spaces around")
        );
        let pretty = "{\n  \"a\": \"b \\\" c\",\n  \"d\": [1, 2]\n}";
        assert!(said(&secret, pretty).unwrap().contains("spaces and line"));
        let bare = Secret::parse(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
        assert!(said(&bare, BODY).unwrap().contains("whsec_"));
        assert_eq!(said(&secret, &BODY.replace("b ", "b  ")), None);

        let lines = "{\r\n}";
        let signature = sign("evt_1", 1, lines.as_bytes(), [&secret]);
        let crlf = near_miss(&secret, "evt_1", "1", &signature, "{\n}").unwrap();
        assert!(crlf.contains("CRLF"));
    }
}
