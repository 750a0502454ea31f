//! The complete build. Writes to a new folder, which then replaces the one that is served.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::fingerprint::fingerprint;
use crate::mode::Mode;
use crate::{cargo, compress, files, script, styles};

/// A built site: its folder and the asset names that pages refer to.
pub struct Site {
    pub folder: PathBuf,
    /// `pkg/{script}.js` and `pkg/{script}_bg.wasm`.
    pub script: String,
    /// `pkg/{style}.css`.
    pub style: String,
}

/// Builds `target/site`. A failed build leaves the previous site in place.
pub fn build(root: &Path, mode: Mode) -> Result<Site> {
    let target = root.join("target");
    fs::create_dir_all(&target)?;
    // A concurrent build would write to the same folder, so it waits.
    let lock = File::create(target.join("site.lock")).context("cannot create target/site.lock")?;
    lock.lock()?;

    // The style sheet first: its errors show before the compilation starts.
    let css = styles::bundle(&root.join("style/main.css"))?;
    let wasm = cargo::build_browser(root, mode)?;

    let (folder, next) = (target.join("site"), target.join("site.next"));
    files::remove(&next)?;
    let pkg = next.join("pkg");
    fs::create_dir_all(&pkg)?;
    files::copy_below(&root.join("public"), &next)?;
    let script = script::write_pair(&wasm, &pkg, mode)?;
    let style = format!("caleida-{}", fingerprint(&[css.as_bytes()]));
    fs::write(pkg.join(format!("{style}.css")), css)?;
    if mode == Mode::Release {
        compress::compress_below(&next)?;
    }
    // After compression: only the server reads the manifest, so it needs no compressed copy.
    fs::write(next.join("manifest.json"), manifest(&script, &style))?;
    files::replace(&folder, &next)?;
    Ok(Site {
        folder,
        script,
        style,
    })
}

/// Returns the manifest that the server reads at startup. The names contain only letters, digits and dashes, so nothing
/// needs escaping.
fn manifest(script: &str, style: &str) -> String {
    format!("{{\"script\":\"{script}\",\"style\":\"{style}\"}}\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn manifest_contains_script_and_style() {
        assert_eq!(
            super::manifest("caleida-1", "caleida-2"),
            "{\"script\":\"caleida-1\",\"style\":\"caleida-2\"}\n"
        );
    }
}
