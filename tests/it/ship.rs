//! What is shipped beside the program, held against what the program does.

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::Value;

use crate::support::{
    app::{Options, TestApp},
    program::Program,
};

const DASHBOARD: &str = include_str!("../../docs/grafana.json");
const OPERATIONS: &str = include_str!("../../docs/operations.md");

async fn scraped() -> String {
    let arguments = vec!["--metrics-listen=127.0.0.1:0".to_owned()];
    let app = TestApp::start_with(Options {
        arguments,
        ..Options::default()
    })
    .await;
    app.scrape().await
}

/// The words of an expression that name a metric.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("caleida_") || word.starts_with("process_"))
}

#[tokio::test]
async fn every_metric_of_the_dashboard_is_there() {
    let scraped = scraped().await;
    let there: BTreeSet<_> = scraped
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(names)
        .collect();
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut expressions = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            assert!(names(expression).count() > 0, "{expression}");
            for name in names(expression) {
                assert!(there.contains(name), "{name}, of {}", panel["title"]);
            }
            expressions += 1;
        }
    }
    assert!(expressions > 10, "only {expressions} expressions");
}

#[tokio::test]
async fn the_operators_guide_tells_of_every_metric() {
    for line in scraped().await.lines() {
        let Some(name) = line
            .strip_prefix("# TYPE ")
            .and_then(|line| line.split(' ').next())
        else {
            continue;
        };
        let told = OPERATIONS.contains(&format!("`{name}")) || name.starts_with("process_");
        assert!(told, "docs/operations.md does not tell of {name}");
    }
}

#[tokio::test]
async fn the_healthcheck_asks_a_running_server() {
    let mut program = Program::start(&[]).await;
    let address = program.api().address();
    let asked = program.output(&["healthcheck", "--listen", &address]);
    assert_eq!(asked.status.code(), Some(0), "{asked:?}");
    program.kill();
    let asked = program.output(&["healthcheck", "--listen", &address]);
    assert_eq!(asked.status.code(), Some(1));
    assert!(String::from_utf8(asked.stderr).unwrap().contains(&address));
}

#[test]
fn the_bill_of_materials_names_every_crate_with_its_checksum() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = Command::new(root.join("packaging/sbom.sh"))
        .args(["x86_64-unknown-linux-gnu", env!("CARGO_PKG_VERSION")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let bill: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    let components = bill["components"].as_array().unwrap();
    for name in ["axum", "rustls", "sqlx", "leptos"] {
        let component = components.iter().find(|component| component["name"] == name);
        let component = component.unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(
            component["hashes"][0]["content"].as_str().unwrap().len(),
            64,
            "{name}"
        );
    }
    for component in components {
        assert!(
            component["licenses"].is_array() && component["hashes"].is_array(),
            "{component}"
        );
    }
}
