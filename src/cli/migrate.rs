//! `caleida migrate`: applies database migrations.

use std::process::ExitCode;

use super::terminal::print_line;
use crate::{server::config::Database, store};

#[derive(clap::Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    database: Database,
}

/// Applies pending migrations.
pub async fn run(args: MigrateArgs) -> ExitCode {
    match store::open(&args.database.database_url).await {
        Ok(store) => {
            super::close(&store).await;
            super::exit_code(print_line("The database is up to date."))
        }
        Err(error) => super::fail(&error.to_string()),
    }
}
