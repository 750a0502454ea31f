//! The program's log.

use serde_json::Value;

use crate::support::{
    app::eventually,
    program::Program,
    receiver::{Receiver, Reply},
};

/// Waits for at least `count` lines that contain the text.
async fn lines(program: &Program, text: &str, count: usize) -> Vec<String> {
    let found = eventually(|| async {
        let lines: Vec<_> = program
            .log()
            .lines()
            .filter(|line| line.contains(text))
            .map(str::to_owned)
            .collect();
        (lines.len() >= count).then_some(lines)
    });
    found
        .await
        .unwrap_or_else(|| panic!("no {count} lines with {text:?} in\n{}", program.log()))
}

#[tokio::test]
async fn attempt_is_logged_as_one_line_without_payload() {
    let receiver = Receiver::start().await;
    receiver.reply(Reply::Status(500));
    let program = Program::start(&[("CALEIDA_RETRY_SCHEDULE", "50ms")]).await;
    let webhook = program.api().add_webhook(&receiver.url("/path?token=abc")).await;
    program.api().publish("order-17").await.unwrap();
    receiver.wait_for(2).await;
    let attempts = lines(&program, "attempt delivery=", 2).await;
    for (line, expected) in attempts
        .iter()
        .zip(["attempt=1 status=500 ", "attempt=2 status=200 "])
    {
        assert!(
            line.contains("INFO") && line.contains(expected) && line.contains("duration_ms="),
            "{line}"
        );
        assert!(
            line.contains("event=order-17") && line.contains(webhook["id"].as_str().unwrap()),
            "{line}"
        );
        for private in ["token", "/path", "xxx", webhook["secret"].as_str().unwrap()] {
            assert!(!line.contains(private), "{line}");
        }
    }
}

#[tokio::test]
async fn json_log_lines_are_objects() {
    let receiver = Receiver::start().await;
    receiver.reply(Reply::Reset);
    let program = Program::start(&[("CALEIDA_LOG_JSON", "true")]).await;
    program.api().add_webhook(&receiver.url("/")).await;
    program.api().publish("order-17").await.unwrap();
    let line = lines(&program, "\"attempt\"", 1).await.remove(0);
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["fields"]["event"], "order-17");
    assert_eq!(line["fields"]["attempt"], 1);
    assert_eq!(line["fields"]["failure"], "protocol");
    assert!(line["fields"]["duration_ms"].is_u64());
    for line in program.log().lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

#[tokio::test]
async fn log_lines_carry_request_id_and_cannot_be_forged() {
    let program = Program::start(&[("RUST_LOG", "caleida=debug"), ("CALEIDA_LOG_JSON", "true")]).await;
    let get = async |id: &'static str, path: &'static str| program.api().get_with_request_id(path, id).await;
    get("order-17", "/integrations/webhook?secret=abc").await;
    get("a\",\"forged\":\"1", "/healthz/%0aforged").await;
    let line = lines(&program, "order-17", 1).await.remove(0);
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["span"]["id"], "order-17");
    assert_eq!(line["span"]["path"], "/integrations/webhook");
    lines(&program, "/healthz/", 1).await;
    for line in program.log().lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(
            line["span"]["id"]
                .as_str()
                .is_none_or(|id| !id.contains("forged")),
            "{line}"
        );
    }
    assert!(!program.log().contains("secret=abc"));
}
