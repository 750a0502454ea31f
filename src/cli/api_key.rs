use std::{sync::Arc, time::Duration};

use clap::{ArgGroup, Subcommand, builder::PossibleValuesParser};

use super::terminal::escaped_line;
use crate::{
    api_keys::{ApiKeys, CreateError},
    auth::{Auth, api_key},
    domain::{Actor, ApiKeyId, Clock, Timestamp, api_key::KeyName},
    server::{clock::SystemClock, config::Database},
    store::{self, ApiKeyRow, DEFAULT_ACCOUNT, KeyState},
};

#[derive(clap::Args)]
pub struct ApiKeyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key and print it, once, alone on stdout
    Create {
        /// What it is for, as the audit log names it; no other living key of the account may have it
        #[arg(long)]
        name: String,
        /// What it may do, comma-separated
        #[arg(long, value_delimiter = ',', default_values = api_key::USUAL_SCOPES)]
        #[arg(value_parser = PossibleValuesParser::new(api_key::SCOPES))]
        scope: Vec<String>,
        /// Expires after this long, such as 90d or 12h; without it, the key does not expire
        #[arg(long, value_parser = humantime::parse_duration)]
        expires_in: Option<Duration>,
        #[command(flatten)]
        on: On,
    },
    /// List the keys, without what is secret of them
    List {
        #[command(flatten)]
        on: On,
    },
    /// Revoke a key: when the command returns, no server takes it any more
    #[command(group(ArgGroup::new("which").required(true).args(["id", "prefix"])))]
    Revoke {
        /// Its id, as the list shows it
        #[arg(long)]
        id: Option<ApiKeyId>,
        /// Its first characters, as the list shows them
        #[arg(long)]
        prefix: Option<String>,
        #[command(flatten)]
        on: On,
    },
}

/// Whose keys, and where.
#[derive(clap::Args)]
struct On {
    /// The account for which the key acts
    #[arg(long, default_value = DEFAULT_ACCOUNT)]
    account: String,
    #[command(flatten)]
    database: Database,
}

impl On {
    async fn open(&self) -> Result<(ApiKeys, Actor), String> {
        let store = store::open(&self.database.database_url).await.map_err(text)?;
        let account = store.ensure_account(&self.account, SystemClock.now()).await;
        let keys = ApiKeys {
            auth: Auth::new(Arc::clone(&store), Arc::new(SystemClock)),
            store,
            clock: Arc::new(SystemClock),
        };
        Ok((keys, Actor::operator(account.map_err(text)?)))
    }
}

pub async fn run(args: ApiKeyArgs) -> Result<(), String> {
    match args.command {
        Command::Create {
            name,
            scope,
            expires_in,
            on,
        } => create(&on, &name, scope, expires_in).await,
        Command::List { on } => list(&on).await,
        Command::Revoke { id, prefix, on } => revoke(&on, id, prefix).await,
    }
}

/// Nothing else is printed on stdout, so that a script can take the key from there.
async fn create(
    on: &On,
    name: &str,
    scopes: Vec<String>,
    expires_in: Option<Duration>,
) -> Result<(), String> {
    let name = KeyName::parse(name).map_err(text)?;
    let (keys, actor) = on.open().await?;
    let expires_at = expires_in.map(|length| SystemClock.now().plus(length));
    match keys.create_until(&actor, &name, scopes, expires_at).await {
        Ok((_, key)) => {
            println!("{}", key.as_str());
            Ok(())
        }
        Err(CreateError::Invalid(refused)) => Err(refused.name.unwrap_or_default()),
        Err(CreateError::Store(error)) => Err(error.to_string()),
    }
}

async fn list(on: &On) -> Result<(), String> {
    let (keys, actor) = on.open().await?;
    let now = SystemClock.now();
    for row in keys.list(&actor.account_id).await.map_err(text)? {
        println!("{}", line(&row, now));
    }
    Ok(())
}

fn line(row: &ApiKeyRow, now: Timestamp) -> String {
    let day = |at: Timestamp| at.rfc3339()[..10].to_owned();
    let state = match (row.state(now), row.key.expires_at) {
        (KeyState::Active, None) => "active".to_owned(),
        (KeyState::Active, Some(at)) => format!("active until {}", at.rfc3339()),
        (KeyState::Expired, _) => "expired".to_owned(),
        (KeyState::Revoked, _) => "revoked".to_owned(),
    };
    let used = row
        .last_used_at
        .map_or_else(|| "never used".to_owned(), |at| format!("last used {}", day(at)));
    format!(
        "{}  {}…  {}  {}  made {}  {used}  {state}",
        row.key.id,
        escaped_line(&row.key.prefix),
        escaped_line(&row.key.name),
        row.key.scopes.join(","),
        day(row.created_at),
    )
}

async fn revoke(on: &On, id: Option<ApiKeyId>, prefix: Option<String>) -> Result<(), String> {
    let (keys, actor) = on.open().await?;
    let id = match (id, prefix) {
        (Some(id), _) => id,
        (None, prefix) => {
            let rows = keys.list(&actor.account_id).await.map_err(text)?;
            by_prefix(&rows, prefix.as_deref().unwrap_or_default())?
        }
    };
    let revoked = keys.revoke_beside(&actor, &id).await.map_err(text)?;
    let row = revoked.ok_or("there is no such key, or it was revoked already")?;
    println!("{} is revoked.", escaped_line(&row.key.name));
    Ok(())
}

/// The one living key that it can mean. The list's “…” may have been copied along.
fn by_prefix(rows: &[ApiKeyRow], prefix: &str) -> Result<ApiKeyId, String> {
    let prefix = prefix.trim_end_matches('…');
    let living = rows.iter().filter(|row| row.revoked_at.is_none());
    let mut fitting = living.filter(|row| !prefix.is_empty() && row.key.prefix.starts_with(prefix));
    match (fitting.next(), fitting.next()) {
        (Some(row), None) => Ok(row.key.id.clone()),
        (None, _) => Err("there is no such key, or it was revoked already".to_owned()),
        (Some(_), Some(_)) => Err("several keys begin so: use --id".to_owned()),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
