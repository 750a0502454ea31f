use clap::{Subcommand, builder::PossibleValuesParser};

use crate::{
    auth::api_key,
    domain::Clock,
    server::{clock::SystemClock, config::Database},
    store::{self, DEFAULT_ACCOUNT, StoreError},
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
        /// What it is for, as the audit log names it
        #[arg(long)]
        name: String,
        /// What it may do, comma-separated
        #[arg(long, value_delimiter = ',', default_values = api_key::SCOPES)]
        #[arg(value_parser = PossibleValuesParser::new(api_key::SCOPES))]
        scope: Vec<String>,
        /// The account for which it acts
        #[arg(long, default_value = DEFAULT_ACCOUNT)]
        account: String,
        #[command(flatten)]
        database: Database,
    },
}

/// Makes the key; nothing else is printed on stdout, so that a script can take it from there.
pub async fn run(args: ApiKeyArgs) -> Result<(), StoreError> {
    let Command::Create {
        name,
        scope,
        account,
        database,
    } = args.command;
    let store = store::open(&database.database_url).await?;
    let now = SystemClock.now();
    let account = store.ensure_account(&account, now).await?;
    let key = api_key::create(&*store, account, &name, scope, now).await?;
    println!("{}", key.as_str());
    Ok(())
}
