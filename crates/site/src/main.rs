//! Builds the site's assets into `target/site`, and rebuilds them on changes during development.
//!
//! [`bundle`] is the complete build; [`cargo`], [`script`], [`styles`], [`fingerprint`] and [`compress`] are its steps.
//! [`report`] prints the sizes of the results. [`watch`] rebuilds on each change.

mod bundle;
mod cargo;
mod compress;
mod files;
mod fingerprint;
mod mode;
mod report;
mod script;
mod styles;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use mode::Mode;

const USAGE: &str = "\
usage: caleida-site COMMAND

  build          build target/site for production: minified, fingerprinted, compressed
  build --dev    build target/site without optimization and compression
  watch          build the site and the server, start the server, and repeat on each change";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["build"] => build(Mode::Release),
        ["build", "--dev"] => build(Mode::Dev),
        ["watch"] => watch::watch(&root()),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build(mode: Mode) -> anyhow::Result<()> {
    let built = bundle::build(&root(), mode)?;
    print!("{}", report::table(&built)?);
    Ok(())
}

/// Returns the folder of the workspace, two levels above this crate.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_path_buf()
}
