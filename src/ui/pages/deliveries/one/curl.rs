//! An attempt as a curl command.

use crate::{domain::EventId, ui::paths};

/// Maximum length of a body that a command contains. Each attempt on a page has a command.
const MAX_COMMAND_BODY: usize = 2 * 1024;

/// The request body, which is the same for every attempt.
#[derive(Clone)]
pub enum RequestBody {
    /// Part of the curl command.
    Inline(String),
    /// Too long to repeat at every attempt. The curl command reads it from a file.
    File { address: String, name: String },
}

impl RequestBody {
    pub fn new(payload: &[u8], event: &EventId) -> Self {
        if payload.len() <= MAX_COMMAND_BODY {
            return Self::Inline(String::from_utf8_lossy(payload).into_owned());
        }
        Self::File {
            address: paths::event_body(event),
            name: format!("{event}.json"),
        }
    }
}

/// Returns a command for a POSIX shell, with the request headers as they were sent.
pub fn curl(url: &str, headers: &[(String, String)], body: &RequestBody) -> String {
    let mut command = format!("curl --request POST {}", quoted(url));
    for (name, value) in headers {
        command.push_str(" \\\n  --header ");
        command.push_str(&quoted(&format!("{name}: {value}")));
    }
    let (option, data) = match body {
        RequestBody::Inline(text) => ("--data-raw", text.clone()),
        RequestBody::File { name, .. } => ("--data-binary", format!("@{name}")),
    };
    command.push_str(&format!(" \\\n  {option} {}", quoted(&data)));
    command
}

/// Quotes a shell argument. In single quotes, only the single quote itself is special.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn shell_passes_the_exact_request_to_curl() {
        let body = r#"{"text":"it's $HOME `id` \\ \"q\" !! é"}"#;
        let url = "https://example.com/?a=1&b='2'";
        let headers = [("webhook-id".to_owned(), "evt_1".to_owned())];
        let script = format!(
            "curl() {{ printf '%s\\n' \"$@\"; }}\n{}",
            curl(url, &headers, &RequestBody::Inline(body.to_owned()))
        );
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let arguments = String::from_utf8(output.stdout).unwrap();
        let arguments: Vec<_> = arguments.lines().collect();
        assert_eq!(
            arguments,
            [
                "--request",
                "POST",
                url,
                "--header",
                "webhook-id: evt_1",
                "--data-raw",
                body
            ]
        );
    }
}
