//! `caleida copy`: copies all data to another database.

use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use super::terminal::{OutputError, print_line};
use crate::{
    server::config::database_url,
    store::{self, CopyError, CopyProgress, StoreError},
};

#[derive(clap::Args)]
pub struct CopyArgs {
    /// Database to read; it is not changed. Stop Caleida first, so that no data is written during the copy
    #[arg(long, value_name = "URL", value_parser = database_url)]
    from: String,
    /// Database to write, which must be empty; an SQLite file is created if it does not exist
    #[arg(long, value_name = "URL", value_parser = database_url)]
    to: String,
}

/// Copies the data and prints the number of rows per table. The progress bar goes to stderr, and only to a terminal.
pub async fn run(args: CopyArgs) -> ExitCode {
    match copy(&args).await {
        Ok(tables) => super::exit_code(print_report(&tables)),
        // Nothing was opened.
        Err(error @ (CopyError::From(StoreError::Open(_)) | CopyError::To(StoreError::Open(_)))) => {
            super::fail(&error.to_string())
        }
        Err(error) => super::exit_code(Err(error)),
    }
}

async fn copy(args: &CopyArgs) -> Result<Vec<(&'static str, u64)>, CopyError> {
    let bar = ProgressBar::new(0);
    bar.set_style(style());
    let copied = store::copy(&args.from, &args.to, &|progress: CopyProgress| {
        bar.set_length(progress.total);
        bar.set_position(progress.rows);
        bar.set_message(progress.table);
    })
    .await;
    bar.finish_and_clear();
    copied
}

fn print_report(tables: &[(&'static str, u64)]) -> Result<(), OutputError> {
    for (table, rows) in tables {
        print_line(format_args!("{rows:>12}  {table}"))?;
    }
    print_line("Copy complete. Start Caleida with the new database and the same master key.")
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{wide_bar} {percent:>3} %  {human_pos} of {human_len} rows  {eta}  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
