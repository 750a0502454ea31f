//! The migrations, compiled into the program by `build.rs`.

use std::sync::LazyLock;

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

/// A file of `migrations/`: its version, description and SQL.
type File = (i64, &'static str, &'static str);

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

pub(super) static SQLITE: LazyLock<Migrator> = LazyLock::new(|| migrator(SQLITE_FILES));

pub(super) static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| migrator(POSTGRES_FILES));

fn migrator(files: &[File]) -> Migrator {
    let migrations = files.iter().map(|&(version, description, sql)| {
        let no_tx = sql.starts_with("-- no-transaction");
        let sql = sql.into_sql_str();
        Migration::new(version, description.into(), MigrationType::Simple, sql, no_tx)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // A newer version of the program may have applied more migrations, see migrations/README.md.
    migrator.set_ignore_missing(true);
    migrator
}

/// Returns the number of migrations, which is the same for both databases.
pub(super) fn count() -> usize {
    SQLITE_FILES.len()
}
