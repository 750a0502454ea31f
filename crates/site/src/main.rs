//! Builds the browser's part of the site into `target/site`, and keeps it built while one works on it.
//!
//! In reading order: [`bundle`] is the whole build; [`cargo`], [`script`], [`styles`], [`fingerprint`] and
//! [`compress`] are its steps; [`report`] prints what came out; [`watch`] does it again at every change.

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

  build          builds target/site for production: minified, fingerprinted, compressed
  build --dev    the same without optimisation and compression: quick to build, slow to load
  watch          builds site and server, starts the server, and does so again at every change";

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

/// The workspace: this crate is two folders below it, wherever it was compiled.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_path_buf()
}
