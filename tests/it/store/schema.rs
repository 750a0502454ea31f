//! The migrations create the same tables and indexes on both databases.

use std::{collections::BTreeSet, fs, path::Path};

use caleida::store;
use sqlx::{Connection, PgConnection, SqliteConnection};

use super::{postgres, sqlite};

/// Columns as `table.column kind [not null]`, and indexes as `index: columns`.
type Schema = BTreeSet<String>;

#[tokio::test]
async fn both_databases_have_the_same_tables_and_indexes() {
    let (sqlite, postgres) = (
        sqlite::Database::create().await,
        postgres::Database::create().await,
    );
    for url in [&sqlite.url, &postgres.url] {
        store::open(url).await.unwrap();
    }
    let sqlite = schema_of_sqlite(&sqlite.url).await;
    let postgres = schema_of_postgres(&postgres.url).await;
    assert!(sqlite.len() > 100, "{sqlite:?}");
    let differences: Vec<_> = sqlite.symmetric_difference(&postgres).collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

async fn schema_of_sqlite(url: &str) -> Schema {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let columns = "select t.name || '.' || c.name || ' ' || lower(c.type) ||
                       case when c.\"notnull\" or c.pk then ' not null' else '' end
                   from pragma_table_list t join pragma_table_info(t.name) c
                   where t.schema = 'main' and t.type = 'table' and t.name not like 'sqlite%' and t.name not like '_sqlx%'";
    let indexes = "select i.name || ': ' || group_concat(c.name, ', ') || case i.\"unique\" when 1 then ' unique' else '' end ||
                       case i.partial when 1 then ' partial' else '' end
                   from pragma_table_list t join pragma_index_list(t.name) i join pragma_index_info(i.name) c
                   where t.schema = 'main' and i.origin = 'c' group by i.name order by c.seqno";
    let mut schema = Schema::new();
    for sql in [columns, indexes] {
        let lines: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
        schema.extend(lines);
    }
    schema
}

async fn schema_of_postgres(url: &str) -> Schema {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let columns = "select table_name || '.' || column_name || ' ' ||
                       case data_type when 'bytea' then 'blob' when 'bigint' then 'integer' when 'boolean' then 'integer'
                           else data_type end ||
                       case is_nullable when 'NO' then ' not null' else '' end
                   from information_schema.columns where table_schema = 'public' and table_name not like '\\_sqlx%'";
    let indexes = "select c.relname || ': ' || string_agg(a.attname, ', ' order by k.n) ||
                       case when i.indisunique then ' unique' else '' end ||
                       case when i.indpred is not null then ' partial' else '' end
                   from pg_index i join pg_class c on c.oid = i.indexrelid
                   join pg_namespace s on s.oid = c.relnamespace and s.nspname = 'public'
                   cross join lateral unnest(i.indkey) with ordinality k (attnum, n)
                   join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
                   where not exists (select from pg_constraint where conindid = i.indexrelid)
                   group by c.relname, i.indisunique, i.indpred";
    let mut schema = Schema::new();
    for sql in [columns, indexes] {
        let lines: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
        schema.extend(lines);
    }
    schema
}

/// Returns name and SQL of each migration, in lower case and without comments.
fn migrations(database: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(database);
    let mut migrations: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let file = file.unwrap();
            let sql = fs::read_to_string(file.path()).unwrap();
            let statements: String = sql
                .lines()
                .map(|line| line.split("--").next().unwrap().to_lowercase() + "\n")
                .collect();
            (file.file_name().into_string().unwrap(), statements)
        })
        .collect();
    migrations.sort();
    migrations
}

#[test]
fn both_databases_have_the_same_migrations_without_gaps() {
    let names = |database| {
        migrations(database)
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    let sqlite = names("sqlite");
    assert_eq!(sqlite, names("postgres"));
    for (number, name) in (1..).zip(&sqlite) {
        assert!(name.starts_with(&format!("{number:04}_")), "{name}");
    }
}

/// Processes of the previous version may still use the tables, see `migrations/README.md`.
#[test]
fn migrations_only_add() {
    for database in ["sqlite", "postgres"] {
        for (name, sql) in migrations(database) {
            let words: Vec<&str> = sql.split_whitespace().collect();
            for forbidden in ["drop", "rename", "truncate", "delete", "type"] {
                // `on delete cascade` is part of a new table.
                let removes = words
                    .windows(2)
                    .any(|pair| pair[0] != "on" && pair[1] == forbidden);
                assert!(!removes, "{database}/{name}: {forbidden} is not allowed");
            }
        }
    }
}
