//! Static files of the dashboard, served from the site folder that `make site` builds.

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

/// Returns the URLs under `/pkg/` that a page refers to.
fn assets(html: &str) -> Vec<String> {
    let quoted = html.split('"').filter(|text| text.starts_with("/pkg/"));
    quoted.map(str::to_owned).collect()
}

/// Returns the raw head of a response. The client of the other tests would decompress it.
async fn raw_head(app: &TestApp, path: &str, accept_encoding: &str) -> String {
    let mut stream = TcpStream::connect(app.server().address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: test\r\naccept-encoding: {accept_encoding}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    let end = response
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    String::from_utf8(response[..end].to_vec())
        .unwrap()
        .replace("\r\n", "\n")
}

#[tokio::test]
async fn assets_are_fingerprinted_compressed_and_immutable() {
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
async fn missing_files_are_not_cached_and_paths_cannot_escape() {
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
async fn pages_have_strict_caching_and_content_policy() {
    let app = app_with_built_site().await;
    let mut browser = app.signed_in(ADMIN).await;
    let webhook = app.add_webhook("orders", "https://example.com/", &["chat"]).await;
    let edit = format!("/{}", webhook["id"].as_str().unwrap());
    // Pages may be in the browser's history. Dialogs may contain secrets, so they are not stored.
    let (stored, not_stored) = ("private, no-cache", "no-store");
    let mut pages = vec![(app.browser().get("/login").await, "/login", not_stored)];
    for (path, caching) in [
        ("", stored),
        ("/new", not_stored),
        ("/deliveries", stored),
        (&edit, not_stored),
        ("/wh_1", stored),
        ("/nonsense/nonsense", stored),
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
            "{path} has an inline style, which the content security policy blocks"
        );
    }
}
