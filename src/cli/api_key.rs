//! `caleida api-key`: creates, lists and revokes API keys.

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::{ArgGroup, Subcommand, builder::PossibleValuesParser};

use super::{
    account_name,
    terminal::{escaped_line, print_line},
};
use crate::{
    api_keys::{ApiKeys, CreateError},
    auth::{Auth, api_key},
    domain::{Actor, ApiKeyId, Clock, Timestamp, api_key::KeyName},
    server::{clock::SystemClock, config::Database},
    store::{ApiKeyRow, DEFAULT_ACCOUNT, KeyState, Store},
};

#[derive(clap::Args)]
pub struct ApiKeyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a key and print it once, alone on stdout
    Create {
        /// Name of the key, shown in the audit log; unique among the account's keys that are not revoked
        #[arg(long)]
        name: String,
        /// Scopes of the key, comma-separated
        #[arg(long, value_delimiter = ',', default_values = api_key::DEFAULT_SCOPES)]
        #[arg(value_parser = PossibleValuesParser::new(api_key::SCOPES))]
        scope: Vec<String>,
        /// Expire the key after this long, such as 90d or 12h; without it, the key does not expire
        #[arg(long, value_parser = humantime::parse_duration)]
        expires_in: Option<Duration>,
        #[command(flatten)]
        target: Target,
    },
    /// List the keys, without their secrets
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Revoke a key; when the command returns, every server rejects it
    #[command(group(ArgGroup::new("which").required(true).args(["id", "prefix"])))]
    Revoke {
        /// Id of the key, as shown in the list
        #[arg(long)]
        id: Option<ApiKeyId>,
        /// First characters of the key, as shown in the list
        #[arg(long)]
        prefix: Option<String>,
        #[command(flatten)]
        target: Target,
    },
}

/// The account and the database.
#[derive(clap::Args)]
struct Target {
    /// Account that the key belongs to
    #[arg(long, default_value = DEFAULT_ACCOUNT, value_parser = account_name)]
    account: String,
    #[command(flatten)]
    database: Database,
}

impl Target {
    async fn keys(&self, store: Arc<Store>) -> Result<(ApiKeys, Actor), String> {
        let account = store.ensure_account(&self.account, SystemClock.now()).await;
        let keys = ApiKeys {
            auth: Auth::new(Arc::clone(&store), Arc::new(SystemClock)),
            store,
            clock: Arc::new(SystemClock),
        };
        Ok((keys, Actor::operator(account.map_err(text)?)))
    }
}

pub async fn run(args: ApiKeyArgs) -> ExitCode {
    let target = match &args.command {
        Command::Create { target, .. } | Command::List { target } | Command::Revoke { target, .. } => target,
    };
    let database = target.database.clone();
    super::on_database(&database, async |store| execute(args.command, store).await).await
}

async fn execute(command: Command, store: Arc<Store>) -> Result<(), String> {
    match command {
        Command::Create {
            name,
            scope,
            expires_in,
            target,
        } => {
            let name = KeyName::parse(&name).map_err(text)?;
            create(target.keys(store).await?, &name, scope, expires_in).await
        }
        Command::List { target } => list(target.keys(store).await?).await,
        Command::Revoke { id, prefix, target } => revoke(target.keys(store).await?, id, prefix).await,
    }
}

/// Creates a key. Prints nothing else to stdout, so that scripts can read the key.
async fn create(
    (keys, actor): (ApiKeys, Actor),
    name: &KeyName,
    scopes: Vec<String>,
    expires_in: Option<Duration>,
) -> Result<(), String> {
    let expires_at = expires_in.map(|lifetime| SystemClock.now().plus(lifetime));
    match keys.create_parsed(&actor, name, scopes, expires_at).await {
        Ok((_, key)) => {
            let lost =
                |error| format!("{error}. The key was created but not shown: revoke it and create another.");
            print_line(key.as_str()).map_err(lost)
        }
        Err(CreateError::Invalid(errors)) => Err(errors.name.unwrap_or_default()),
        Err(CreateError::Store(error)) => Err(error.to_string()),
    }
}

async fn list((keys, actor): (ApiKeys, Actor)) -> Result<(), String> {
    let now = SystemClock.now();
    for row in keys.list(&actor.account_id).await.map_err(text)? {
        print_line(line(&row, now)).map_err(text)?;
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
        "{}  {}…  {}  {}  created {}  {used}  {state}",
        row.key.id,
        escaped_line(&row.key.prefix),
        escaped_line(&row.key.name),
        row.key.scopes.join(","),
        day(row.created_at),
    )
}

async fn revoke(
    (keys, actor): (ApiKeys, Actor),
    id: Option<ApiKeyId>,
    prefix: Option<String>,
) -> Result<(), String> {
    let id = match (id, prefix) {
        (Some(id), _) => id,
        (None, prefix) => {
            let rows = keys.list(&actor.account_id).await.map_err(text)?;
            by_prefix(&rows, prefix.as_deref().unwrap_or_default())?
        }
    };
    let revoked = keys.revoke_from_cli(&actor, &id).await.map_err(text)?;
    let row = revoked.ok_or("key not found, or already revoked")?;
    print_line(format_args!("{} is revoked.", escaped_line(&row.key.name))).map_err(text)
}

/// Returns the only active or expired key with this prefix. Ignores the “…” that the list shows after a prefix.
fn by_prefix(rows: &[ApiKeyRow], prefix: &str) -> Result<ApiKeyId, String> {
    let prefix = prefix.trim_end_matches('…');
    let keys = rows.iter().filter(|row| row.revoked_at.is_none());
    let mut matches = keys.filter(|row| !prefix.is_empty() && row.key.prefix.starts_with(prefix));
    match (matches.next(), matches.next()) {
        (Some(row), None) => Ok(row.key.id.clone()),
        (None, _) => Err("key not found, or already revoked".to_owned()),
        (Some(_), Some(_)) => Err("several keys have this prefix: use --id".to_owned()),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
