//! `caleida trigger`: publishes one event through the API.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Args;
use reqwest::{StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::terminal::{OutputError, escaped, escaped_line, print_line};
use crate::{
    delivery::sender::{ClientError, plain_client},
    domain::{EventType, PublicUrl},
};

#[derive(Args)]
pub struct TriggerArgs {
    /// chat, message, insight.summary, insight.topic, insight.key, insight.conversation or insight.sentiment
    #[arg(value_name = "TYPE")]
    pub event_type: EventType,
    /// File with the event's data as JSON, or - for stdin; without it, an example is sent
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// URL of the server
    #[arg(long, env = "CALEIDA_PUBLIC_URL", default_value = "http://127.0.0.1:3000")]
    pub url: PublicUrl,
    /// API key with the scope events:write
    #[arg(long, env = "CALEIDA_API_KEY", hide_env_values = true, value_name = "KEY")]
    pub api_key: Option<String>,
}

/// Publishes the event and prints its id and number of deliveries.
pub async fn run(args: TriggerArgs) -> Result<(), TriggerError> {
    let published = trigger(args).await?;
    let id = escaped_line(&published.id);
    print_line(format_args!("{id} ({})", deliveries(published.deliveries)))?;
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    #[error(
        "Missing API key. Create one with “caleida api-key create --name trigger --scope events:write”, and pass it \
         with --api-key or CALEIDA_API_KEY."
    )]
    NoKey,
    #[error("Cannot read {file}: {error}", file = .0.display(), error = .1)]
    Data(PathBuf, io::Error),
    #[error("The data is not JSON: {0}")]
    NotJson(serde_json::Error),
    #[error("No response from {0}. Is “caleida serve” running there?")]
    Unreachable(String),
    /// A problem from the API.
    #[error("{0}")]
    Problem(String),
    #[error("{url} returned {status}, but is not a Caleida API. Check --url.")]
    NotThisApi { url: String, status: StatusCode },
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// The API's response for an accepted event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Published {
    pub id: String,
    pub deliveries: u64,
}

/// Publishes the event.
pub async fn trigger(args: TriggerArgs) -> Result<Published, TriggerError> {
    #[derive(Serialize)]
    struct Event<'a> {
        r#type: EventType,
        data: &'a RawValue,
    }

    let key = args
        .api_key
        .as_deref()
        .map(str::trim)
        .filter(|key| !key.is_empty())
        .ok_or(TriggerError::NoKey)?;
    let data = read_data(args.event_type, args.data.as_deref())?;
    let origin = args.url.to_string();
    let body = serde_json::to_vec(&Event {
        r#type: args.event_type,
        data: &data,
    })
    .map_err(TriggerError::NotJson)?;
    let request = plain_client()?
        .post(args.url.join("/api/v1/events"))
        .bearer_auth(key)
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    let unreachable = |_| TriggerError::Unreachable(origin.clone());
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let body = response.bytes().await.map_err(unreachable)?;
    if status.is_success()
        && let Ok(published) = serde_json::from_slice(&body)
    {
        return Ok(published);
    }
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => Err(TriggerError::Problem(problem.message())),
        Err(_) => Err(TriggerError::NotThisApi { url: origin, status }),
    }
}

/// An `application/problem+json` response.
#[derive(Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<FieldProblem>,
}

#[derive(Deserialize)]
struct FieldProblem {
    field: String,
    #[serde(alias = "detail")]
    message: String,
}

impl Problem {
    fn message(&self) -> String {
        let detail = self.detail.iter().map(|detail| format!(": {}", escaped(detail)));
        let fields = self
            .errors
            .iter()
            .map(|error| format!("\n  {}: {}", escaped_line(&error.field), escaped(&error.message)));
        std::iter::once(escaped_line(&self.title))
            .chain(detail)
            .chain(fields)
            .collect()
    }
}

fn read_data(event_type: EventType, file: Option<&Path>) -> Result<Box<RawValue>, TriggerError> {
    let text = match file {
        None => event_type.example().to_owned(),
        Some(file) => {
            let read = if file == Path::new("-") {
                let mut text = String::new();
                io::stdin().read_to_string(&mut text).map(|_| text)
            } else {
                fs::read_to_string(file)
            };
            read.map_err(|error| TriggerError::Data(file.to_owned(), error))?
        }
    };
    serde_json::from_str(&text).map_err(TriggerError::NotJson)
}

fn deliveries(count: u64) -> String {
    match count {
        0 => "no deliveries".to_owned(),
        1 => "1 delivery".to_owned(),
        _ => format!("{count} deliveries"),
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;

    #[test]
    fn every_event_type_has_an_example() {
        for &event_type in EventType::VARIANTS {
            read_data(event_type, None).unwrap();
        }
    }

    #[test]
    fn errors_explain_unusable_data() {
        let missing = read_data(EventType::Chat, Some(Path::new("no/such/file"))).unwrap_err();
        assert!(
            missing.to_string().starts_with("Cannot read no/such/file: "),
            "{missing}"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "{oops").unwrap();
        let broken = read_data(EventType::Chat, Some(file.path())).unwrap_err();
        assert!(
            broken.to_string().starts_with("The data is not JSON: "),
            "{broken}"
        );
    }

    #[test]
    fn problem_message_includes_its_fields() {
        let problem: Problem = serde_json::from_str(
            r#"{"type":"about:blank","title":"Invalid event","status":422,"detail":"It was rejected.",
                "errors":[{"field":"id","message":"Use letters.\u001b[31m"}]}"#,
        )
        .unwrap();
        assert_eq!(
            problem.message(),
            "Invalid event: It was rejected.\n  id: Use letters.\\u{1b}[31m"
        );
    }
}
