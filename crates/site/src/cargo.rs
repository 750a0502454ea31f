//! Runs cargo for the two artefacts: the browser's wasm and, under `watch`, the server.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::mode::Mode;

const WASM: &str = "wasm32-unknown-unknown";

/// Compiles `crates/browser` and returns the wasm file that cargo wrote.
pub fn build_browser(root: &Path, mode: Mode) -> Result<PathBuf> {
    ensure_wasm_target(root)?;
    // The profile's name and its folder differ for `dev` alone.
    let (profile, folder) = match mode {
        Mode::Dev => ("dev", "debug"),
        Mode::Release => ("wasm-release", "wasm-release"),
    };
    // Its own target folder: the server's build may hold the lock of the other one.
    let target = root.join("target/front");
    let mut build = command(root);
    build.args(["build", "--locked", "--package", "caleida-browser", "--lib"]);
    build
        .args(["--target", WASM, "--profile", profile])
        .arg("--target-dir")
        .arg(&target);
    run(build, "the browser's part")?;
    Ok(target.join(WASM).join(folder).join("caleida_browser.wasm"))
}

/// Compiles the debug server and returns its path.
pub fn build_server(root: &Path) -> Result<PathBuf> {
    let target = root.join("target");
    let mut build = command(root);
    // By the name of the program, not of its package: then dependencies have the features that `cargo build` gives them.
    build.args(["build", "--locked", "--bin", "caleida"]);
    build.arg("--target-dir").arg(&target);
    run(build, "the server")?;
    Ok(target.join("debug/caleida"))
}

fn command(root: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    // `cargo run` describes this very crate in its environment. Build scripts that look at such variables (ring's
    // does) would run again, and all that depends on them, each time a build comes from here and then from a shell.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(describes_a_package) {
            cargo.env_remove(name);
        }
    }
    cargo
}

fn describes_a_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

fn run(mut cargo: Command, what: &str) -> Result<()> {
    let status = cargo.status().context("cannot start cargo")?;
    ensure!(status.success(), "{what} does not compile");
    Ok(())
}

/// Without it rustc explains at length that `core` cannot be found, once per crate.
fn ensure_wasm_target(root: &Path) -> Result<()> {
    let library = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--print", "target-libdir", "--target", WASM])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start rustc")?;
    let library = String::from_utf8_lossy(&library.stdout);
    if !Path::new(library.trim()).is_dir() {
        bail!("the compiler cannot build for the browser yet; run: rustup target add {WASM}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::describes_a_package;

    #[test]
    fn only_what_cargo_run_says_of_this_package_is_withheld() {
        assert!(describes_a_package("CARGO_PKG_NAME"));
        assert!(describes_a_package("CARGO_MANIFEST_DIR"));
        assert!(!describes_a_package("CARGO_HOME"));
        assert!(!describes_a_package("CARGO_INCREMENTAL"));
    }
}
