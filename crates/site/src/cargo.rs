//! Runs cargo for the two artifacts: the browser's wasm and, for `watch`, the server.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::mode::Mode;

const WASM: &str = "wasm32-unknown-unknown";

/// Compiles `crates/browser` and returns the path of the wasm file.
pub fn build_browser(root: &Path, mode: Mode) -> Result<PathBuf> {
    ensure_wasm_target(root)?;
    // Only for `dev` does the folder differ from the profile's name.
    let (profile, folder) = match mode {
        Mode::Dev => ("dev", "debug"),
        Mode::Release => ("wasm-release", "wasm-release"),
    };
    // A separate target folder, because a build of the server may have locked the other one.
    let target = root.join("target/front");
    let mut build = command(root);
    build.args(["build", "--locked", "--package", "caleida-browser", "--lib"]);
    build
        .args(["--target", WASM, "--profile", profile])
        .arg("--target-dir")
        .arg(&target);
    run(build, "crates/browser")?;
    Ok(target.join(WASM).join(folder).join("caleida_browser.wasm"))
}

/// Compiles the debug server and returns its path.
pub fn build_server(root: &Path) -> Result<PathBuf> {
    let target = root.join("target");
    let mut build = command(root);
    // Selects the binary instead of the package, so that dependencies get the same features as with `cargo build`.
    build.args(["build", "--locked", "--bin", "caleida"]);
    build.arg("--target-dir").arg(&target);
    run(build, "the server")?;
    Ok(target.join("debug/caleida"))
}

fn command(root: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    // `cargo run` sets variables that describe this crate. Build scripts that read them, such as that of ring, would
    // run again, with everything that depends on them, whenever builds alternate between here and a shell.
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

fn run(mut cargo: Command, target: &str) -> Result<()> {
    let status = cargo.status().context("cannot start cargo")?;
    ensure!(status.success(), "failed to compile {target}");
    Ok(())
}

/// Checks that the wasm target is installed. Otherwise, rustc reports for each crate that it cannot find `core`.
fn ensure_wasm_target(root: &Path) -> Result<()> {
    let library = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--print", "target-libdir", "--target", WASM])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start rustc")?;
    let library = String::from_utf8_lossy(&library.stdout);
    if !Path::new(library.trim()).is_dir() {
        bail!("the Rust target {WASM} is not installed; run: rustup target add {WASM}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::describes_a_package;

    #[test]
    fn only_variables_about_the_package_are_removed() {
        assert!(describes_a_package("CARGO_PKG_NAME"));
        assert!(describes_a_package("CARGO_MANIFEST_DIR"));
        assert!(!describes_a_package("CARGO_HOME"));
        assert!(!describes_a_package("CARGO_INCREMENTAL"));
    }
}
