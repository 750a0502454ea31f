//! Finds the site folder: the built scripts, wasm and styles of the dashboard.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;

use super::StartError;
use crate::{store::Asset, ui::Site};

/// The site folder, and the names of its files that pages link to.
pub struct SiteFolder {
    pub root: PathBuf,
    pub names: Arc<Site>,
}

impl SiteFolder {
    /// Returns the built files whose names contain a hash.
    pub fn assets(&self) -> Vec<Asset> {
        let Site { script, style } = &*self.names;
        let names = [
            format!("{style}.css"),
            format!("{script}.js"),
            format!("{script}_bg.wasm"),
        ];
        names
            .into_iter()
            // Sites without a manifest have neither a hash nor compressed files.
            .filter_map(|name| {
                let content = fs::read(self.root.join(format!("pkg/{name}.gz"))).ok()?;
                Some(Asset { name, content })
            })
            .collect()
    }

    /// Returns the names of the files served at the root, without their compressed copies.
    pub fn public_files(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.root) else {
            return Vec::new();
        };
        entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name != MANIFEST && !name.ends_with(".br") && !name.ends_with(".gz"))
            // A name with braces would be a route parameter.
            .filter(|name| {
                name.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
            })
            .collect()
    }
}

const MANIFEST: &str = "manifest.json";

/// The manifest that the build tool writes.
#[derive(Deserialize)]
struct Manifest {
    script: String,
    style: String,
}

/// Returns the configured folder, or `site` next to the program or next to the program's folder.
pub fn find(configured: Option<&Path>) -> Result<SiteFolder, StartError> {
    let root = match configured {
        Some(root) => root.to_owned(),
        None => next_to_program().ok_or_else(|| {
            let text = "the site folder is missing: run `make build`, or set LEPTOS_SITE_ROOT";
            StartError::Config(text.to_owned())
        })?,
    };
    let manifest = fs::read(root.join(MANIFEST))
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok());
    // Without a manifest, as in the empty sites of tests and benchmarks, the names contain no hash.
    let unhashed = || Manifest {
        script: "caleida".to_owned(),
        style: "caleida".to_owned(),
    };
    let Manifest { script, style } = manifest.unwrap_or_else(unhashed);
    if !root.join(format!("pkg/{style}.css")).is_file() {
        return Err(StartError::Config(format!(
            "{} is not a site folder: run `make build`",
            root.display()
        )));
    }
    Ok(SiteFolder {
        root,
        names: Arc::new(Site { script, style }),
    })
}

fn next_to_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?;
    [folder.join("site"), folder.parent()?.join("site")]
        .into_iter()
        .find(|path| path.is_dir())
}
