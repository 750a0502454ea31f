//! The dashboard's files while several versions run. Each version has a site folder of its own.

use std::{fs, path::Path, process::Command};

use reqwest::{StatusCode, header};

use crate::support::{postgres, program::Program};

/// Writes a site folder as the build tool does. Returns the names and contents of its files.
fn write_site(folder: &Path, hash: &str) -> Vec<(String, String)> {
    let package = folder.join("pkg");
    fs::create_dir_all(&package).unwrap();
    let name = format!("caleida-{hash}");
    let manifest = format!(r#"{{"script":"{name}","style":"{name}"}}"#);
    fs::write(folder.join("manifest.json"), manifest).unwrap();
    let files = [".css", ".js", "_bg.wasm"].map(|end| (format!("{name}{end}"), format!("{end} of {hash}")));
    for (name, content) in &files {
        let path = package.join(name);
        fs::write(&path, content).unwrap();
        let compressed = Command::new("gzip").arg("--keep").arg(&path).status();
        assert!(compressed.unwrap().success());
    }
    files.into()
}

/// Starts a program with the files of this version.
async fn start(settings: &[(&'static str, &str)], hash: &str) -> (Program, Vec<(String, String)>) {
    let site = tempfile::tempdir().unwrap();
    let files = write_site(site.path(), hash);
    let mut settings = settings.to_vec();
    let path = site.keep();
    settings.push(("LEPTOS_SITE_ROOT", path.to_str().unwrap()));
    (Program::start(&settings).await, files)
}

async fn assert_serves(program: &Program, files: &[(String, String)]) {
    for (name, content) in files {
        let page = program.api().browser().get(&format!("/pkg/{name}")).await;
        assert_eq!(page.status, StatusCode::OK, "{name}");
        let headers = &page.headers;
        let expected = match name.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript",
            "wasm" => "application/wasm",
            _ => "text/css",
        };
        assert_eq!(headers[header::CONTENT_TYPE], expected, "{name}");
        let caching = headers[header::CACHE_CONTROL].to_str().unwrap();
        assert!(caching.ends_with("immutable"), "{name}: {caching}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{name}");
        assert_eq!(page.body, *content, "{name}");
    }
}

#[tokio::test]
async fn processes_of_two_versions_serve_the_files_of_both() {
    let database = postgres::create_database().await;
    let settings = [
        ("DATABASE_URL", database.as_str()),
        (
            "CALEIDA_MASTER_KEY",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
    ];
    let (old, old_files) = start(&settings, "0123456789abcdef").await;
    let (new, new_files) = start(&settings, "fedcba9876543210").await;
    for program in [&old, &new] {
        assert_serves(program, &old_files).await;
        assert_serves(program, &new_files).await;
    }
}

#[tokio::test]
async fn tab_of_an_old_version_finds_its_files_after_an_upgrade() {
    let (mut program, old_files) = start(&[], "0123456789abcdef").await;
    let site = program.folder().join("new-site");
    let new_files = write_site(&site, "fedcba9876543210");
    program.kill();
    program
        .restart(&[("LEPTOS_SITE_ROOT", site.to_str().unwrap())])
        .await;
    assert_serves(&program, &old_files).await;
    assert_serves(&program, &new_files).await;
}

/// A process that has the file may be starting.
#[tokio::test]
async fn unknown_files_are_not_found_and_not_cached() {
    let (program, _) = start(&[], "0123456789abcdef").await;
    for name in [
        "caleida-00000000000000ff.js",
        "caleida-00000000000000ff_bg.wasm",
        "caleida.css",
        "..%2Fmanifest.json",
        "manifest.json",
    ] {
        let page = program.api().browser().get(&format!("/pkg/{name}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{name}");
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store", "{name}");
    }
}
