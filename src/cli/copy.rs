//! `caleida copy`: moves to another database.

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    server::config::database_url,
    store::{self, CopyError, CopyProgress},
};

#[derive(clap::Args)]
pub struct CopyArgs {
    /// The database to read, which stays as it is; nobody should write to it meanwhile: stop Caleida before
    #[arg(long, value_name = "URL", value_parser = database_url)]
    from: String,
    /// The database to write, which has to be empty; an SQLite file is created if it does not exist
    #[arg(long, value_name = "URL", value_parser = database_url)]
    to: String,
}

/// Prints what was copied. The bar is drawn on stderr, and only on a terminal.
pub async fn run(args: CopyArgs) -> Result<(), CopyError> {
    let bar = ProgressBar::new(0);
    bar.set_style(style());
    let copied = store::copy(&args.from, &args.to, &|progress: CopyProgress| {
        bar.set_length(progress.total);
        bar.set_position(progress.rows);
        bar.set_message(progress.table);
    })
    .await;
    bar.finish_and_clear();
    for (table, rows) in copied? {
        println!("{rows:>12}  {table}");
    }
    println!("All of it is in the new database. Start Caleida on it with the same master key.");
    Ok(())
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{wide_bar} {percent:>3} %  {human_pos} of {human_len} rows  {eta}  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
