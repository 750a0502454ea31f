//! Consistency of shipped files with the program: Grafana dashboard, operations guide, SBOM, and `healthcheck`.

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

/// Returns the names of metrics in an expression.
fn metric_names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("caleida_") || word.starts_with("process_"))
}

#[tokio::test]
async fn grafana_dashboard_uses_existing_metrics() {
    let scraped = scraped().await;
    let exported: BTreeSet<_> = scraped
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(metric_names)
        .collect();
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut expressions = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            assert!(metric_names(expression).count() > 0, "{expression}");
            for name in metric_names(expression) {
                assert!(exported.contains(name), "{name} in {}", panel["title"]);
            }
            expressions += 1;
        }
    }
    assert!(expressions > 10, "only {expressions} expressions");
}

#[tokio::test]
async fn operations_guide_documents_every_metric() {
    for line in scraped().await.lines() {
        let Some(name) = line
            .strip_prefix("# TYPE ")
            .and_then(|line| line.split(' ').next())
        else {
            continue;
        };
        let documented = OPERATIONS.contains(&format!("`{name}")) || name.starts_with("process_");
        assert!(documented, "docs/operations.md does not mention {name}");
    }
}

/// The commands of the guide run where the unit and the image run the server.
#[test]
fn forgotten_password_commands_match_the_packages() {
    let (unit, image) = (
        include_str!("../../packaging/caleida.service"),
        include_str!("../../Dockerfile"),
    );
    let setting = |name: &str| {
        let line = unit
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("the unit has no {name}"))
    };
    let (_, section) = OPERATIONS.split_once("\n## A forgotten password\n").unwrap();
    let program = setting("ExecStart").strip_suffix(" serve").unwrap();
    let command = format!("{program} user set-password --email ada@example.com --password-stdin");
    assert_eq!(section.matches(&command).count(), 2);
    for name in ["WorkingDirectory", "EnvironmentFile"] {
        let option = format!("-p {name}={}", setting(name));
        assert!(section.contains(&option), "{option}");
    }
    assert!(image.contains(&format!("ENTRYPOINT [\"{program}\"]")));
}

#[tokio::test]
async fn healthcheck_reports_whether_server_runs() {
    let mut program = Program::start(&[]).await;
    let address = program.api().address();
    let checked = program.output(&["healthcheck", "--listen", &address]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    program.kill();
    let checked = program.output(&["healthcheck", "--listen", &address]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(String::from_utf8(checked.stderr).unwrap().contains(&address));
}

#[test]
fn sbom_lists_crates_with_checksums() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(root.join("packaging/sbom.sh"))
        .args(["x86_64-unknown-linux-gnu", env!("CARGO_PKG_VERSION")])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let sbom: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(sbom["bomFormat"], "CycloneDX");
    let components = sbom["components"].as_array().unwrap();
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
