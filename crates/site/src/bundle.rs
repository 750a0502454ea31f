//! The whole build: everything into a fresh folder, which then replaces the one that is served.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::fingerprint::fingerprint;
use crate::mode::Mode;
use crate::{cargo, compress, files, script, styles};

/// A finished site: its folder, and the names that the pages refer to.
pub struct Site {
    pub folder: PathBuf,
    /// `pkg/{script}.js` and `pkg/{script}_bg.wasm`.
    pub script: String,
    /// `pkg/{style}.css`.
    pub style: String,
}

/// Builds `target/site`. A failure leaves the site of before in place.
pub fn build(root: &Path, mode: Mode) -> Result<Site> {
    let target = root.join("target");
    fs::create_dir_all(&target)?;
    // Two builds at a time would write into each other's folder; the second waits.
    let lock = File::create(target.join("site.lock")).context("cannot create target/site.lock")?;
    lock.lock()?;

    // The style first: it fails at once, the rest after a compilation.
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
    // Last, for the server alone: so it has no compressed copy.
    fs::write(next.join("manifest.json"), manifest(&script, &style))?;
    files::replace(&folder, &next)?;
    Ok(Site {
        folder,
        script,
        style,
    })
}

/// What the server reads when it starts. The names are ours, of letters, digits and dashes: nothing to escape.
fn manifest(script: &str, style: &str) -> String {
    format!("{{\"script\":\"{script}\",\"style\":\"{style}\"}}\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_manifest_names_script_and_style() {
        assert_eq!(
            super::manifest("caleida-1", "caleida-2"),
            "{\"script\":\"caleida-1\",\"style\":\"caleida-2\"}\n"
        );
    }
}
