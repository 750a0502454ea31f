//! The URL of the database.

use url::Url;

use crate::store;

/// Accepts URLs of SQLite and PostgreSQL databases.
pub fn database_url(text: &str) -> Result<String, String> {
    if text.starts_with("sqlite:") && (text.contains(":memory:") || text.contains("mode=memory")) {
        Err("a database in memory would lose accepted events: use sqlite://PATH".to_owned())
    } else if text.starts_with("sqlite:") {
        Ok(text.to_owned())
    } else if store::is_postgres(text) {
        check_postgres_url(text).map(|()| text.to_owned())
    } else {
        Err("use sqlite://PATH or postgres://USER@HOST/DATABASE".to_owned())
    }
}

/// Rejects URLs that are misunderstood because of a special character in the password. The driver would take a part of the
/// password for a host or a parameter, and log it.
fn check_postgres_url(text: &str) -> Result<(), String> {
    const ADVICE: &str = "percent-encode special characters in the user and password (such as %40 for @, %23 for #, %2F \
                          for /, %3F for ?)";
    let url = Url::parse(text).map_err(|_| format!("this is not a URL; {ADVICE}"))?;
    let has_at = |part: &str| part.contains('@');
    if url.fragment().is_some() || has_at(url.path()) || url.query().is_some_and(has_at) {
        return Err(ADVICE.to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_is_a_file_or_postgres() {
        for good in [
            "sqlite://data/a.db",
            "sqlite:a.db",
            "postgres://a@b/c",
            "postgresql://a@b/c",
            "postgres://a:p%40%2F%3F%23@b:5432/c?sslmode=require",
            "postgres://a@[::1]:5432/c",
            "postgres:///c?host=/run/postgresql&options[search_path]=x",
        ] {
            assert!(database_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "data/a.db",
            "mysql://a@b/c",
            "sqlite::memory:",
            "sqlite://a.db?mode=memory",
        ] {
            assert!(database_url(bad).is_err(), "{bad}");
        }
        for password in [
            "a/Secret",
            "12/Secret",
            "12?Secret",
            "a?Secret",
            "a#Secret",
            "12#Secret",
        ] {
            let refused = database_url(&format!("postgres://own:{password}@127.0.0.1:5432/c")).unwrap_err();
            assert!(refused.contains("percent-encode"), "{refused}");
            assert!(!refused.contains("Secret"), "{refused}");
        }
    }
}
