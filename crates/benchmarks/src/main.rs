//! Measures the released program against what this machine allows, in one run: `make bench`.
//!
//! The program under test is a process of its own, driven over HTTP like any publisher would, with a receiver on
//! loopback; driver and receiver share the machine with it. What the figures mean stands in `README.md` beside.

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

/// Measures Caleida against the limits of this machine.
#[derive(Parser)]
struct Options {
    /// Under two minutes, for a first impression: fewer events, a smaller backlog
    #[arg(long)]
    quick: bool,
    /// Only these parts, by their letter: a, b, c, d, f, g, h, i, j, k, l, m, n
    #[arg(long, value_delimiter = ',')]
    only: Vec<char>,
    /// The database under the program; PostgreSQL is started for it, and gone at the end
    #[arg(long, value_enum, default_value = "sqlite")]
    database: Kind,
    /// The program to measure
    #[arg(long, default_value = "target/release/caleida")]
    program: PathBuf,
    /// Where the figures go as JSON
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let scale = if options.quick { Scale::QUICK } else { Scale::FULL };
    let mut report = Report::default();
    let wanted = |letter| options.only.is_empty() || options.only.contains(&letter);

    let bench = Bench {
        program: options.program.canonicalize()?,
        source: Source::start(options.database).await?,
        scale,
    };

    if wanted('a') {
        limits::measure(&bench.scale, &bench.source, &mut report).await?;
    }
    if wanted('b') {
        bench.publishing(&mut report).await?;
    }
    if ['c', 'g', 'j'].into_iter().any(wanted) {
        bench.end_to_end(&mut report).await?;
    }
    if wanted('d') {
        bench.latency(&mut report).await?;
    }
    if wanted('h') {
        bench.one_hangs(&mut report).await?;
    }
    if wanted('i') {
        bench.slow_receivers(&mut report).await?;
    }
    if wanted('f') {
        bench.backlog(&mut report).await?;
    }
    if wanted('g') {
        bench.history(&mut report).await?;
    }
    if wanted('j') {
        bench.retention(&mut report).await?;
    }
    if wanted('k') && options.database == Kind::Postgres {
        bench.processes(&mut report).await?;
    }
    if wanted('l') {
        bench.pages(&mut report).await?;
    }
    if wanted('m') {
        bench.refusals(&mut report).await?;
    }
    if wanted('n') {
        bench.overload(&mut report).await?;
    }
    report.print_bound();
    report.save(&options.json)?;
    println!("\nas JSON: {}", options.json.display());
    Ok(())
}
