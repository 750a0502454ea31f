//! The dashboard's files as browsers get them, from the site folder that `make site` builds.

use std::path::Path;

use reqwest::{Method, StatusCode, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::app::{ADMIN, Options, TestApp};

async fn app_with_built_site() -> TestApp {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/site");
    assert!(
        site.join("manifest.json").is_file(),
        "build the site first: make site"
    );
    let arguments = vec![format!("--site-root={}", site.display())];
    TestApp::start_with(Options {
        arguments,
        ..Options::default()
    })
    .await
}

/// The addresses under `/pkg/` that a page refers to.
fn assets(html: &str) -> Vec<String> {
    let quoted = html.split('"').filter(|text| text.starts_with("/pkg/"));
    quoted.map(str::to_owned).collect()
}

/// The head of an answer as it came: the client of the other tests would decompress it.
async fn raw_head(app: &TestApp, path: &str, accept_encoding: &str) -> String {
    let mut stream = TcpStream::connect(app.server().address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: test\r\naccept-encoding: {accept_encoding}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    String::from_utf8(answer[..end].to_vec())
        .unwrap()
        .replace("\r\n", "\n")
}

#[tokio::test]
async fn every_file_of_a_page_has_a_fingerprint_is_compressed_and_kept_for_ever() {
    let app = app_with_built_site().await;
    let page = app.signed_in(ADMIN).await.get("/integrations/webhook/new").await;
    let assets = assets(&page.body);
    for extension in [".css", ".js", ".wasm"] {
        assert!(
            assets.iter().any(|asset| asset.ends_with(extension)),
            "no {extension} in {assets:?}"
        );
    }
    for asset in &assets {
        for (accepted, expected) in [("br", Some("br")), ("gzip", Some("gzip")), ("identity", None)] {
            let head = raw_head(&app, asset, accepted).await;
            assert!(head.starts_with("HTTP/1.1 200"), "{asset}: {head}");
            let header = |name: &str| {
                head.lines()
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::trim)
            };
            assert_eq!(header("content-encoding:"), expected, "{asset}");
            assert_eq!(
                header("cache-control:"),
                Some("public, max-age=31536000, immutable"),
                "{asset}"
            );
        }
    }
    let name = assets[0].rsplit('/').next().unwrap();
    let fingerprint = name
        .trim_start_matches("caleida-")
        .split(['.', '_'])
        .next()
        .unwrap();
    assert_eq!(fingerprint.len(), 16, "{name}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_kept_and_none_outside_is_reached() {
    let app = app_with_built_site().await;
    for path in [
        "/pkg/nonsense.js",
        "/pkg/../manifest.json",
        "/pkg/%2e%2e/%2e%2e/Cargo.toml",
        "/manifest.json",
    ] {
        let response = app.anonymous(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        let cached = response
            .headers()
            .get(header::CACHE_CONTROL)
            .map(|value| value.to_str().unwrap());
        assert!(
            cached.is_none_or(|cached| !cached.contains("immutable")),
            "{path}"
        );
    }
    let icon = app.anonymous(Method::GET, "/favicon.svg").send().await.unwrap();
    assert_eq!(icon.status(), StatusCode::OK);
    assert_eq!(icon.headers()[header::CACHE_CONTROL], "public, max-age=3600");
}

#[tokio::test]
async fn pages_are_kept_by_no_cache_and_run_only_our_own_scripts() {
    let app = app_with_built_site().await;
    let mut browser = app.signed_in(ADMIN).await;
    let webhook = app.add_webhook("orders", "https://example.com/", &["chat"]).await;
    let edit = format!("/{}", webhook["id"].as_str().unwrap());
    // What a page shows may be in the history of the browser; a dialog, which may hold a secret, is nowhere.
    let (kept, not_kept) = ("private, no-cache", "no-store");
    let mut pages = vec![(app.browser().get("/login").await, "/login", not_kept)];
    for (path, caching) in [
        ("", kept),
        ("/new", not_kept),
        ("/deliveries", kept),
        (&edit, not_kept),
        ("/wh_1", kept),
        ("/nonsense/nonsense", kept),
    ] {
        let page = browser.get(&format!("/integrations/webhook{path}")).await;
        pages.push((page, path, caching));
    }
    for (page, path, caching) in pages {
        let header = |name: &str| page.headers.get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!(header("cache-control"), caching, "{path}");
        let policy = header("content-security-policy");
        for directive in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert!(
            !page.body.contains(" style=\""),
            "{path} has an inline style, which its policy refuses"
        );
    }
}
