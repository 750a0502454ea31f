//! Rules of ARCHITECTURE.md that a search of the source code can check.

mod imports;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The modules that each module may import. All of them come before it in this list.
const DIRECTIONS: [(&str, &[&str]); 14] = [
    ("domain", &[]),
    ("trace", &[]),
    ("store", &["domain"]),
    ("vault", &["domain", "store"]),
    ("delivery", &["domain", "trace", "store", "vault"]),
    ("auth", &["domain", "store"]),
    ("people", &["domain", "store"]),
    ("webhooks", &["domain", "store", "vault", "delivery"]),
    ("api_keys", &["domain", "store", "delivery", "auth", "webhooks"]),
    ("submissions", &["domain", "store", "vault", "webhooks"]),
    ("api", &["domain", "store", "delivery", "auth", "webhooks"]),
    (
        "ui",
        &[
            "domain",
            "store",
            "delivery",
            "auth",
            "people",
            "webhooks",
            "api_keys",
            "submissions",
        ],
    ),
    (
        "server",
        &[
            "domain",
            "trace",
            "store",
            "vault",
            "delivery",
            "auth",
            "people",
            "webhooks",
            "api_keys",
            "submissions",
            "api",
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

/// Libraries that a module must not use.
const FORBIDDEN_LIBRARIES: [(&str, &[&str]); 6] = [
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
const WITHOUT_CYCLES: [&str; 16] = [
    "src/domain.rs",
    "src/trace.rs",
    "src/store.rs",
    "src/vault.rs",
    "src/delivery.rs",
    "src/auth.rs",
    "src/people.rs",
    "src/webhooks.rs",
    "src/api_keys.rs",
    "src/submissions.rs",
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

/// Returns the files of a module: `src/NAME.rs` and everything below `src/NAME/`.
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

/// Returns the lines of code without comments.
fn code(source: &Source) -> impl Iterator<Item = &str> {
    source
        .text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn modules_import_only_allowed_modules() {
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
                "{} imports {other}, which {name} must not",
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
        "the modules of lib.rs differ from DIRECTIONS, or have another order"
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

/// Pages and API calls show a URL as the caller may see it. Only operations, the store and the engine use whole URLs.
#[test]
fn pages_and_api_never_use_whole_urls() {
    for source in ["api", "ui"].into_iter().flat_map(module) {
        for line in code(&source) {
            let is_whole = [".full()", "UrlVisibility::of_editor(true)"]
                .iter()
                .any(|text| line.contains(text));
            assert!(!is_whole, "{}: {line}", source.path.display());
        }
    }
}

#[test]
fn libraries_stay_in_their_modules() {
    for (name, libraries) in FORBIDDEN_LIBRARIES {
        for source in module(name) {
            for line in code(&source) {
                for library in libraries {
                    let uses =
                        line.contains(&format!("{library}::")) && !line.contains(&format!("_{library}::"));
                    assert!(!uses, "{} uses {library}: {line}", source.path.display());
                }
            }
        }
    }
}

#[test]
fn sql_never_reads_the_database_clock() {
    let mut sources = module("store");
    sources.extend(migrations("sqlite"));
    sources.extend(migrations("postgres"));
    for source in sources {
        let text = source.text.to_lowercase();
        // One statement reads the server's clock, which all processes share.
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
                let location = format!("{}: {message:?}", path.display());
                let first = message.split(' ').next().unwrap();
                let is_name = first.len() > 1 && first.chars().all(|c| c.is_ascii_uppercase());
                assert!(
                    is_name || message.starts_with(|c: char| c.is_ascii_lowercase()),
                    "{location}"
                );
                assert!(!message.ends_with('.') && !message.contains('{'), "{location}");
                for vague in ["could not", "cannot", "nobody", "just now", "no sign of"] {
                    assert!(!message.contains(vague), "{location}");
                }
            }
        }
    }
    assert!(messages > 50, "found only {messages} log messages");
}

/// UI and API use `Accounts` instead of `Store`, which gives access to one account at a time.
#[test]
fn ui_and_api_cannot_read_other_accounts() {
    for name in ["ui", "api"] {
        for source in module(name) {
            for line in code(&source) {
                // `WebhookError::Store` is an error, and “Store it” a text.
                let line = line.replace("Error::Store", "").replace("Store it", "");
                assert!(
                    !has_phrase(&line, "Store"),
                    "{} names the store of all accounts: {line}",
                    source.path.display()
                );
            }
        }
    }
}

/// Phrases that plain English replaces: with the subject of the sentence, or with the field's own term.
const PHRASES: [&str; 22] = [
    "whoever",
    "nobody",
    "somebody",
    "everybody",
    "for ever",
    "stops to",
    "ceases to",
    "became of",
    "becomes of",
    "came of",
    "heard of",
    "obeyed",
    "is told",
    "are told",
    "so long after",
    "so many of",
    "goes by",
    "leads nowhere",
    "on record",
    "written down",
    "sign of life",
    "is no use",
];

/// A doc comment is a sentence or a noun phrase of its own.
const OPENINGS: [&str; 6] = ["Of ", "Who ", "Whose ", "In which ", "For which ", "With which "];

#[test]
fn texts_are_plain_english() {
    let mut files = Vec::new();
    for folder in [
        "src",
        "tests",
        "crates",
        "docs",
        "migrations",
        "end2end",
        "style",
        "packaging",
        ".ci",
    ] {
        collect_texts(&root().join(folder), &mut files);
    }
    for file in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Makefile",
        "build.rs",
    ] {
        files.push(root().join(file));
    }
    assert!(files.len() > 400, "only {} files were found", files.len());
    let mut found = Vec::new();
    for path in files {
        // This list.
        if path.ends_with("tests/it/tidy.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            let words = line.to_lowercase();
            let phrase = PHRASES.into_iter().find(|phrase| has_phrase(&words, phrase));
            let comment = line.trim_start().strip_prefix("/// ").unwrap_or_default();
            let opening = OPENINGS.into_iter().find(|opening| comment.starts_with(opening));
            // A line that continues the sentence above may begin like this.
            let is_first = number == 1
                || !text
                    .lines()
                    .nth(number - 2)
                    .unwrap()
                    .trim_start()
                    .starts_with("///");
            if let Some(phrase) = phrase.or(opening.filter(|_| is_first)) {
                found.push(format!("{}:{number}: “{phrase}”", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "reword:\n{}", found.join("\n"));
}

/// Returns whether the line contains the phrase as whole words.
fn has_phrase(line: &str, phrase: &str) -> bool {
    line.match_indices(phrase).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + phrase.len()..].chars().next();
        [before, after]
            .into_iter()
            .flatten()
            .all(|c| !c.is_alphanumeric() && c != '_')
    })
}

fn collect_texts(folder: &Path, files: &mut Vec<PathBuf>) {
    const EXTENSIONS: [&str; 11] = [
        "rs", "md", "ts", "sql", "css", "sh", "py", "rb", "go", "php", "service",
    ];
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["node_modules", "test-results", "target", "vendor"].contains(&name) {
                collect_texts(&path, files);
            }
        } else if path
            .extension()
            .is_some_and(|extension| EXTENSIONS.contains(&extension.to_str().unwrap()))
        {
            files.push(path);
        }
    }
}

/// No statement changes or deletes an entry of the audit log.
#[test]
fn audit_log_is_append_only() {
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

/// Returns the migrations of a database, in order.
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
fn sqlite_tables_are_strict() {
    for Source { path, text } in migrations("sqlite") {
        let tables = text.matches("create table").count();
        assert_eq!(text.matches(") strict").count(), tables, "{}", path.display());
    }
}

/// Leptos escapes text in pages. Server functions return HTML only as a `Fragment`, which only rendering creates, with
/// the same escaping.
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
    assert_eq!(
        form.matches("inner_html=html").count(),
        fragments,
        "a fragment each"
    );
}

#[test]
fn source_files_have_at_most_500_lines() {
    for (name, _) in DIRECTIONS {
        for source in module(name) {
            let lines = source.text.lines().count();
            assert!(lines <= 500, "{} has {lines} lines", source.path.display());
        }
    }
}

/// `ARCHITECTURE.md` names the test of each invariant.
#[test]
fn invariants_name_existing_tests() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, section) = architecture.split_once("\n## Invariants\n").unwrap();
    let (table, _) = section.split_once("\n**Not checked**\n").unwrap();
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        collect(&root().join(folder), &mut files);
    }
    let sources: Vec<_> = files
        .into_iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let mut invariants = 0;
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let (_, check) = row.trim_end_matches(" |").rsplit_once(" | ").unwrap();
        if ["checked by", "---"].contains(&check) {
            continue;
        }
        invariants += 1;
        let names: Vec<_> = check.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test is named in {row}");
        for name in names {
            let exists = if name.contains('/') || name.contains('.') {
                root().join(name).exists()
            } else if name.contains('_') {
                let definition = format!("fn {name}(");
                sources.iter().any(|source| source.contains(&definition))
            } else {
                // A type, a parameter, or a lint.
                true
            };
            assert!(exists, "{name} does not exist: {row}");
        }
    }
    assert!(invariants > 40, "only {invariants} invariants were found");
}
