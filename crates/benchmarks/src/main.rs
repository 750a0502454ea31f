//! Benchmarks the release build against the limits of this machine: `make bench`.
//!
//! The server under test runs in a separate process. The driver publishes events over HTTP, and a receiver listens on
//! loopback; both share the machine with the server. `README.md` explains the results.

mod cluster;
mod database;
mod driver;
mod limits;
mod machine;
mod program;
mod receiver;
mod report;
mod scenarios;
mod seed;

use std::path::PathBuf;

use clap::Parser;

use database::{Kind, Source};
use report::Report;
use scenarios::{Bench, Scale};

/// Benchmarks Caleida against the limits of this machine.
#[derive(Parser)]
struct Options {
    /// Use fewer events and a smaller backlog; takes under two minutes
    #[arg(long)]
    quick: bool,
    /// Run only these scenarios: a, b, c, d, f, g, h, i, j, k, l, m, n, o
    #[arg(long, value_delimiter = ',')]
    only: Vec<char>,
    /// Database of the server; a PostgreSQL server is started for the run
    #[arg(long, value_enum, default_value = "sqlite")]
    database: Kind,
    /// Program to benchmark
    #[arg(long, default_value = "target/release/caleida")]
    program: PathBuf,
    /// File to which the results are written as JSON
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let scale = if options.quick { Scale::QUICK } else { Scale::FULL };
    let mut report = Report::default();
    let selected = |letter| options.only.is_empty() || options.only.contains(&letter);

    let bench = Bench {
        program: options.program.canonicalize()?,
        source: Source::start(options.database).await?,
        scale,
    };

    if selected('a') {
        limits::measure(&bench.scale, &bench.source, &mut report).await?;
    }
    if selected('b') {
        bench.publishing(&mut report).await?;
    }
    if ['c', 'g', 'j'].into_iter().any(selected) {
        bench.end_to_end(&mut report).await?;
    }
    if selected('d') {
        bench.latency(&mut report).await?;
    }
    if selected('h') {
        bench.one_hangs(&mut report).await?;
    }
    if selected('i') {
        bench.slow_receivers(&mut report).await?;
    }
    if selected('f') {
        bench.backlog(&mut report).await?;
    }
    if selected('g') {
        bench.history(&mut report).await?;
    }
    if selected('j') {
        bench.retention(&mut report).await?;
    }
    if selected('k') && options.database == Kind::Postgres {
        bench.processes(&mut report).await?;
    }
    if selected('l') {
        bench.pages(&mut report).await?;
    }
    if selected('m') {
        bench.rejections(&mut report).await?;
    }
    if selected('n') {
        bench.overload(&mut report).await?;
    }
    if selected('o') {
        bench.options(&mut report).await?;
    }
    report.print_bound();
    report.save(&options.json)?;
    println!("\nresults written to {}", options.json.display());
    Ok(())
}
