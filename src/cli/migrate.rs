//! `caleida migrate`: applies database migrations.

use std::process::ExitCode;

use crate::{server::config::Database, store};

#[derive(clap::Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    database: Database,
}

/// Applies pending migrations.
pub async fn run(args: MigrateArgs) -> ExitCode {
    match store::open(&args.database.database_url).await {
        Ok(_) => {
            println!("The database is up to date.");
            ExitCode::SUCCESS
        }
        Err(error) => super::fail(&error.to_string()),
    }
}
