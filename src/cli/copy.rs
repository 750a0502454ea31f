//! `caleida copy`: copies all data to another database.

use indicatif::{ProgressBar, ProgressStyle};

use super::terminal::print_line;
use crate::{
    server::config::database_url,
    store::{self, CopyProgress},
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
pub async fn run(args: CopyArgs) -> Result<(), String> {
    let bar = ProgressBar::new(0);
    bar.set_style(style());
    let copied = store::copy(&args.from, &args.to, &|progress: CopyProgress| {
        bar.set_length(progress.total);
        bar.set_position(progress.rows);
        bar.set_message(progress.table);
    })
    .await;
    bar.finish_and_clear();
    for (table, rows) in copied.map_err(text)? {
        print_line(format_args!("{rows:>12}  {table}")).map_err(text)?;
    }
    print_line("Copy complete. Start Caleida with the new database and the same master key.").map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{wide_bar} {percent:>3} %  {human_pos} of {human_len} rows  {eta}  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
