//! Embeds the migrations in the program, in the order of their versions.
//!
//! Replaces `sqlx::migrate!`, whose `macros` feature compiles sqlx, its drivers and SQLite a second time, as build
//! dependencies.

use std::{
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=migrations");
    let migrations = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("migrations");
    let mut source = String::new();
    for database in ["sqlite", "postgres"] {
        writeln!(source, "const {}_FILES: &[File] = &[", database.to_uppercase())?;
        for file in files(&migrations.join(database))? {
            let (version, description) = parse_name(&file)
                .ok_or_else(|| format!("{}: use a name such as 0001_create_people.sql", file.display()))?;
            writeln!(
                source,
                "    ({version}, {description:?}, include_str!({file:?})),"
            )?;
        }
        source.push_str("];\n");
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("migrations.rs"), source)?;
    Ok(())
}

/// Returns the `.sql` files in order. Other files, such as backups of editors, are ignored.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    Ok(files)
}

/// Parses a file name into version and description: `0001_create_people.sql` is version 1, "create people".
fn parse_name(file: &Path) -> Option<(i64, String)> {
    let (version, description) = file
        .file_name()?
        .to_str()?
        .strip_suffix(".sql")?
        .split_once('_')?;
    Some((version.parse().ok()?, description.replace('_', " ")))
}
