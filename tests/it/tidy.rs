//! What ARCHITECTURE.md says is absent stays absent.

mod imports;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Which modules each may use: only those further up.
const DIRECTIONS: [(&str, &[&str]); 13] = [
    ("domain", &[]),
    ("trace", &[]),
    ("store", &["domain"]),
    ("vault", &["domain", "store"]),
    ("delivery", &["domain", "trace", "store", "vault"]),
    ("auth", &["domain", "store"]),
    ("people", &["domain", "store"]),
    ("webhooks", &["domain", "store", "vault", "delivery"]),
    ("api_keys", &["domain", "store", "delivery", "auth", "webhooks"]),
    ("api", &["domain", "store", "delivery", "auth", "webhooks"]),
    (
        "ui",
        &[
            "domain", "store", "delivery", "auth", "people", "webhooks", "api_keys",
        ],
    ),
    (
        "server",
        &[
            "domain", "trace", "store", "vault", "delivery", "auth", "people", "webhooks", "api_keys", "api",
            "ui",
        ],
    ),
    (
        "cli",
        &[
            "domain", "store", "vault", "delivery", "auth", "webhooks", "api_keys", "api", "ui", "server",
        ],
    ),
];

/// Which libraries stay out of which modules.
const STRANGERS: [(&str, &[&str]); 6] = [
    (
        "domain",
        &["axum", "leptos", "sqlx", "tokio", "reqwest", "tracing"],
    ),
    ("store", &["axum", "leptos", "reqwest", "tower_sessions"]),
    ("delivery", &["axum", "leptos", "sqlx", "tower_sessions"]),
    ("webhooks", &["axum", "leptos", "sqlx", "tower_sessions"]),
    ("api", &["leptos", "sqlx", "reqwest", "tower_sessions"]),
    ("ui", &["sqlx", "reqwest"]),
];

/// Root files of the modules whose files must not import each other in a cycle.
const WITHOUT_CYCLES: [&str; 15] = [
    "src/domain.rs",
    "src/trace.rs",
    "src/store.rs",
    "src/vault.rs",
    "src/delivery.rs",
    "src/auth.rs",
    "src/people.rs",
    "src/webhooks.rs",
    "src/api_keys.rs",
    "src/api.rs",
    "src/ui.rs",
    "src/server.rs",
    "src/cli.rs",
    "crates/benchmarks/src/main.rs",
    "crates/site/src/main.rs",
];

struct Source {
    path: PathBuf,
    text: String,
}

/// The files of a module: `src/NAME.rs` and everything below `src/NAME/`.
fn module(name: &str) -> Vec<Source> {
    let src = root().join("src");
    let mut files = vec![src.join(format!("{name}.rs"))];
    collect(&src.join(name), &mut files);
    files
        .into_iter()
        .map(|path| Source {
            text: fs::read_to_string(&path).unwrap(),
            path,
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The code without comments, which may name anything.
fn code(source: &Source) -> impl Iterator<Item = &str> {
    source
        .text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn modules_use_only_those_further_up() {
    let names: Vec<_> = DIRECTIONS.iter().map(|(name, _)| *name).collect();
    let used = imports::root_modules(root());
    for (name, allowed) in DIRECTIONS {
        let sources: BTreeSet<_> = module(name).into_iter().map(|source| source.path).collect();
        let mut imports = used.iter().filter(|(file, _)| sources.contains(file)).peekable();
        assert!(
            imports.peek().is_some() || allowed.is_empty(),
            "{name} imports nothing"
        );
        for (file, other) in imports {
            let is_allowed = other == name || allowed.contains(&other.as_str());
            assert!(
                is_allowed || !names.contains(&other.as_str()),
                "{} uses {other}, which {name} must not know",
                file.display()
            );
        }
    }
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let modules = map
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    assert!(
        modules.eq(names),
        "a module of lib.rs has no direction here, or stands in another order"
    );
}

/// Code that two files share belongs in a file of its own.
#[test]
fn no_import_cycles() {
    for file in WITHOUT_CYCLES {
        let cycles = imports::cycles(root(), file);
        assert!(cycles.is_empty(), "import cycles:\n{}", cycles.join("\n"));
    }
}

#[test]
fn each_library_stays_where_it_belongs() {
    for (name, strangers) in STRANGERS {
        for source in module(name) {
            for line in code(&source) {
                for stranger in strangers {
                    let named =
                        line.contains(&format!("{stranger}::")) && !line.contains(&format!("_{stranger}::"));
                    assert!(!named, "{} names {stranger}: {line}", source.path.display());
                }
            }
        }
    }
}

#[test]
fn no_statement_asks_the_database_for_the_time() {
    let mut sources = module("store");
    sources.extend(migrations("sqlite"));
    sources.extend(migrations("postgres"));
    for source in sources {
        let text = source.text.to_lowercase();
        // One statement reads the clock of the server, by which all processes agree.
        let is_shared_clock = source.path.ends_with("src/store/sql/cluster.rs");
        let allowed = usize::from(is_shared_clock);
        assert_eq!(
            text.matches("clock_timestamp()").count(),
            allowed,
            "clock_timestamp() in {}",
            source.path.display()
        );
        for clock in [
            "now()",
            "statement_timestamp(",
            "transaction_timestamp(",
            "current_timestamp",
            "current_time",
            "current_date",
            "unixepoch(",
            "strftime(",
            "datetime(",
            "julianday(",
        ] {
            assert!(
                !text.contains(clock),
                "{} contains {clock}",
                source.path.display()
            );
        }
    }
}

/// A log message is a fixed phrase that people search for, with the facts as fields.
#[test]
fn log_messages_are_searchable_phrases() {
    let mut sources = Vec::new();
    collect(&root().join("src"), &mut sources);
    let mut messages = 0;
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        for level in ["error", "warn", "info", "debug"] {
            for event in text.split(&format!("tracing::{level}!(")).skip(1) {
                let event = event.split(");").next().unwrap();
                let Some(message) = event.rsplit('"').nth(1) else {
                    continue;
                };
                messages += 1;
                let what = format!("{}: {message:?}", path.display());
                let first = message.split(' ').next().unwrap();
                let is_name = first.len() > 1 && first.chars().all(|c| c.is_ascii_uppercase());
                assert!(
                    is_name || message.starts_with(|c: char| c.is_ascii_lowercase()),
                    "{what}"
                );
                assert!(!message.ends_with('.') && !message.contains('{'), "{what}");
                for riddle in ["could not", "cannot", "nobody", "just now", "no sign of"] {
                    assert!(!message.contains(riddle), "{what}");
                }
            }
        }
    }
    assert!(messages > 50, "only {messages} log messages were found");
}

/// No statement changes or deletes an entry of the audit log.
#[test]
fn the_audit_log_is_only_appended_to() {
    let mut sources = module("store");
    sources.extend(migrations("sqlite"));
    sources.extend(migrations("postgres"));
    for source in sources {
        let text = source.text.to_lowercase();
        for statement in [
            "update audit_log",
            "delete from audit_log",
            "truncate audit_log",
            "drop table audit_log",
        ] {
            assert!(
                !text.contains(statement),
                "{}: {statement}",
                source.path.display()
            );
        }
    }
}

/// Of one database, in order.
fn migrations(database: &str) -> Vec<Source> {
    let folder = root().join("migrations").join(database);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| Source {
            text: fs::read_to_string(&path).unwrap(),
            path,
        })
        .collect()
}

#[test]
fn every_table_is_strict() {
    for Source { path, text } in migrations("sqlite") {
        let tables = text.matches("create table").count();
        assert_eq!(text.matches(") strict").count(), tables, "{}", path.display());
    }
}

/// Leptos escapes what a page shows. A server function returns HTML for a part of a page instead: as a `Fragment`, which
/// only rendering makes, and which escapes as well.
#[test]
fn only_rendered_fragments_are_inserted_as_html() {
    for source in module("ui") {
        let inserts = source.path.ends_with("src/ui/components/form.rs");
        for line in code(&source) {
            let inserted = line.contains("inner_html") || line.contains("insert_adjacent_html");
            assert!(
                !inserted || (inserts && line.contains("inner_html=html.as_str()")),
                "{}: {line}",
                source.path.display()
            );
        }
    }
    let form = fs::read_to_string(root().join("src/ui/components/form.rs")).unwrap();
    let fragments = form.matches("Option<Fragment>").count();
    assert_eq!(form.matches("inner_html=html").count(), fragments, "each is one");
}

#[test]
fn no_file_has_become_two_things() {
    for (name, _) in DIRECTIONS {
        for source in module(name) {
            let lines = source.text.lines().count();
            assert!(lines <= 500, "{} has {lines} lines", source.path.display());
        }
    }
}
