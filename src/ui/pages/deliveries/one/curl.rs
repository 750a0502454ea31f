//! An attempt as a command line, to be tried by hand.

use crate::domain::Attempt;

/// For a POSIX shell. What was redacted when it was recorded stays so.
pub fn curl(attempt: &Attempt, body: &str) -> String {
    let mut command = format!("curl --request POST {}", quoted(&attempt.url));
    for (name, value) in &attempt.request_headers {
        command.push_str(" \\\n  --header ");
        command.push_str(&quoted(&format!("{name}: {value}")));
    }
    command.push_str(" \\\n  --data-raw ");
    command.push_str(&quoted(body));
    command
}

/// In single quotes nothing means anything but the quote itself.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::{process::Command, time::Duration};

    use super::*;
    use crate::domain::{Outcome, Timestamp};

    #[test]
    fn a_shell_passes_on_exactly_what_was_sent() {
        let body = r#"{"text":"it's $HOME `id` \\ \"q\" !! é"}"#;
        let attempt = Attempt {
            number: 1,
            started_at: Timestamp::from_millis(0),
            duration: Duration::ZERO,
            outcome: Outcome::Answered {
                status: 500,
                retry_after: None,
            },
            detail: None,
            url: "https://example.com/?a=1&b='2'".to_owned(),
            request_headers: vec![("webhook-id".to_owned(), "evt_1".to_owned())],
            response_headers: Vec::new(),
            response_body: Vec::new(),
            response_truncated: false,
        };
        let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}\n{}", curl(&attempt, body));
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let passed = String::from_utf8(output.stdout).unwrap();
        let passed: Vec<_> = passed.lines().collect();
        assert_eq!(
            passed,
            [
                "--request",
                "POST",
                &attempt.url,
                "--header",
                "webhook-id: evt_1",
                "--data-raw",
                body
            ]
        );
    }
}
