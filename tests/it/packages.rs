//! Features and packages that cargo compiles.

use std::{collections::BTreeSet, process::Command};

/// Cargo compiles a crate once for each set of its features.
#[test]
fn benchmarks_reuse_release_build() {
    let build = features(&["caleida", "caleida-site"]);
    let bench = features(&["caleida", "caleida-site", "caleida-benchmarks"]);
    let compiled_again: Vec<_> = build.difference(&bench).collect();
    assert!(
        compiled_again.is_empty(),
        "`make bench` needs other features of these crates than `make build`: {compiled_again:#?}"
    );
}

/// The macros of sqlx would make cargo compile sqlx, both drivers and SQLite a second time, for the procedural macros.
#[test]
fn database_drivers_are_not_built_for_macros() {
    let packages = features(&["caleida"]);
    assert!(packages.iter().any(|package| package.starts_with("sqlx-core v")));
    assert!(!packages.iter().any(|package| package.starts_with("sqlx-macros")));
}

/// Returns the crates that these packages depend on, each with its features.
fn features(packages: &[&str]) -> BTreeSet<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(env!("CARGO_MANIFEST_DIR"));
    tree.args(["tree", "--locked", "--edges=normal,build", "--prefix=none"]);
    tree.arg("--format={p} [{f}]");
    for package in packages {
        tree.args(["--package", package]);
    }
    let output = tree.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).unwrap();
    // `cargo tree` marks repeated crates with (*).
    tree.lines()
        .map(|line| line.trim_end_matches(" (*)").to_owned())
        .collect()
}
