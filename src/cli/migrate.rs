use std::process::ExitCode;

use crate::{server::config::Database, store};

#[derive(clap::Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    database: Database,
}

/// Applies what is missing; a database that has everything is left as it is.
pub async fn run(args: MigrateArgs) -> ExitCode {
    match store::open(&args.database.database_url).await {
        Ok(_) => {
            println!("The database has every migration.");
            ExitCode::SUCCESS
        }
        Err(error) => super::fail(&error.to_string()),
    }
}
