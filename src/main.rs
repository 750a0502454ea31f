//! `caleida`: arguments → configuration → run.

use std::process::ExitCode;

fn main() -> ExitCode {
    caleida::cli::run()
}
