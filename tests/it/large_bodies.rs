//! Rejected requests with large or encoded bodies: the response reaches real HTTP clients.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::app::TestApp;

const MB: usize = 1_000_000;

/// Programs that read `URL`, `KEY`, `SIZE` and `HEADER`, send `SIZE` bytes and print the status of the response.
const CLIENTS: [(&str, &str); 5] = [
    (
        "python http.client",
        r#"exec python3 -c '
import http.client, os, urllib.parse
url = urllib.parse.urlsplit(os.environ["URL"])
connection = http.client.HTTPConnection(url.netloc, timeout=60)
name, value = os.environ["HEADER"].split(": ")
connection.request("POST", url.path, b"a" * int(os.environ["SIZE"]), {"Authorization": os.environ["KEY"], name: value})
response = connection.getresponse()
response.read()
print(response.status)
'"#,
    ),
    (
        "python urllib",
        r#"exec python3 -c '
import os, urllib.error, urllib.request
name, value = os.environ["HEADER"].split(": ")
headers = {"Authorization": os.environ["KEY"], name: value}
request = urllib.request.Request(os.environ["URL"], b"a" * int(os.environ["SIZE"]), headers)
try:
    print(urllib.request.urlopen(request, timeout=60).status)
except urllib.error.HTTPError as error:
    error.read()
    print(error.code)
'"#,
    ),
    (
        "node fetch",
        r#"exec node -e '
const { URL: url, KEY, SIZE, HEADER } = process.env;
const [name, value] = HEADER.split(": ");
fetch(url, { method: "POST", body: Buffer.alloc(+SIZE, "a"), headers: { Authorization: KEY, [name]: value } })
  .then(async response => { await response.text(); console.log(response.status); });
'"#,
    ),
    (
        "curl",
        r#"head -c $SIZE /dev/zero > body
curl -sS -o /dev/null -w '%{http_code}\n' -H "Authorization: $KEY" -H "$HEADER" --data-binary @body $URL"#,
    ),
    (
        "curl without Expect",
        r#"head -c $SIZE /dev/zero > body
curl -sS -o /dev/null -w '%{http_code}\n' -H "Authorization: $KEY" -H "$HEADER" -H 'Expect:' --data-binary @body $URL"#,
    ),
];

const GO: (&str, &str) = (
    "go",
    r#"cat > main.go <<'END'
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

func main() {
	size, _ := strconv.Atoi(os.Getenv("SIZE"))
	request, _ := http.NewRequest("POST", os.Getenv("URL"), bytes.NewReader(make([]byte, size)))
	request.Header.Set("Authorization", os.Getenv("KEY"))
	name, value, _ := strings.Cut(os.Getenv("HEADER"), ": ")
	request.Header.Set(name, value)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	io.Copy(io.Discard, response.Body)
	fmt.Println(response.StatusCode)
}
END
HOME=$CACHE go build -o client main.go && exec ./client"#,
);

/// Runs a client in an empty folder and returns what it printed.
fn run(command: &str, cache: &Path, variables: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", command])
        .current_dir(folder.path())
        .env("CACHE", cache)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    format!("{out}{err}").trim().to_owned()
}

async fn check_clients(clients: &'static [(&'static str, &'static str)]) {
    let app = TestApp::start().await;
    let valid = format!("Bearer {}", app.key_with(&["events:write"]).await);
    let (none, publish, batch) = ("X-None: 1", "/api/v1/events", "/api/v1/events/batch");
    let cache = tempfile::tempdir().unwrap();
    for (path, key, header, size, expected) in [
        (publish, "Bearer wrong", none, 3 * MB, "401"),
        (batch, "Bearer wrong", none, 30 * MB, "401"),
        (publish, &*valid, none, 9 * MB, "413"),
        (batch, &*valid, none, 30 * MB, "413"),
        (batch, &*valid, "Content-Encoding: gzip", 7 * MB, "415"),
        (publish, &*valid, "Idempotency-Key: two words", 12 * MB, "422"),
        ("/api/v1/nothing", &*valid, none, 5 * MB, "404"),
        (
            "/login",
            &*valid,
            "Content-Type: application/x-www-form-urlencoded",
            5 * MB,
            "413",
        ),
    ] {
        let (url, size, key, header) = (app.url(path), size.to_string(), key.to_owned(), header.to_owned());
        let folder = cache.path().to_owned();
        let statuses = tokio::task::spawn_blocking(move || {
            let variables = [
                ("URL", &*url),
                ("KEY", &*key),
                ("SIZE", &*size),
                ("HEADER", &*header),
            ];
            clients
                .iter()
                .map(|(name, command)| (*name, run(command, &folder, &variables)))
                .collect::<Vec<_>>()
        });
        for (name, status) in statuses.await.unwrap() {
            assert_eq!(status, expected, "{name}, {path}");
        }
    }
}

#[tokio::test]
async fn rejection_reaches_clients_that_are_still_sending() {
    check_clients(&CLIENTS).await;
}

#[tokio::test]
async fn rejection_reaches_go_clients_that_are_still_sending() {
    check_clients(&[GO]).await;
}

async fn publish(app: &TestApp, path: &str, body: Vec<u8>, encoding: Option<&str>) -> (StatusCode, Value) {
    let mut request = app.call(Method::POST, path).body(body);
    if let Some(encoding) = encoding {
        request = request.header(header::CONTENT_ENCODING, encoding);
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        assert_eq!(response.headers()[header::ACCEPT_ENCODING], "identity");
    }
    (
        status,
        serde_json::from_str(&response.text().await.unwrap()).unwrap(),
    )
}

#[tokio::test]
async fn compressed_body_is_415_and_byte_order_mark_is_ignored() {
    let app = TestApp::start().await;
    let event = json!({ "type": "chat", "data": { "id": 1 } });
    let (one, many) = (event.to_string(), json!({ "events": [event] }).to_string());
    let webhook = json!({ "name": "a", "url": "https://a.example/", "events": ["chat"] }).to_string();
    for (path, text) in [
        ("/api/v1/events", &one),
        ("/api/v1/events/batch", &many),
        ("/api/v1/webhooks", &webhook),
    ] {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        for (body, encoding) in [
            (gzip.clone(), Some("gzip")),
            (gzip, None),
            (text.clone().into_bytes(), Some("br")),
            (text.clone().into_bytes(), Some("identity, zstd")),
        ] {
            let (status, problem) = publish(&app, path, body, encoding).await;
            assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{problem}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("without Content-Encoding"), "{detail}");
        }
        let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes);
        let (status, problem) =
            publish(&app, path, [0xff, 0xfe].into_iter().chain(utf16).collect(), None).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(problem["detail"].as_str().unwrap().contains("UTF-8"), "{problem}");
        let marked = format!("\u{feff}{text}").into_bytes();
        let (status, body) = publish(&app, path, marked, Some("Identity")).await;
        assert!(status.is_success(), "{body}");
    }
}
