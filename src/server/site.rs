//! The folder with the dashboard's script, wasm and style, as the site's builder leaves it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;

use super::StartError;
use crate::ui::Site;

/// The folder, and the fingerprinted names in it that pages refer to.
pub struct SiteFolder {
    pub root: PathBuf,
    pub names: Arc<Site>,
}

impl SiteFolder {
    /// The names of the files that lie at the root for browsers, without their compressed copies.
    pub fn public_files(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.root) else {
            return Vec::new();
        };
        entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name != MANIFEST && !name.ends_with(".br") && !name.ends_with(".gz"))
            // Braces would be a parameter of the route.
            .filter(|name| {
                name.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
            })
            .collect()
    }
}

const MANIFEST: &str = "manifest.json";

/// What the builder writes beside the files.
#[derive(Deserialize)]
struct Manifest {
    script: String,
    style: String,
}

/// The configured folder, or `site` beside the program, or beside the folder that the program is in.
pub fn find(configured: Option<&Path>) -> Result<SiteFolder, StartError> {
    let root = match configured {
        Some(root) => root.to_owned(),
        None => beside_program().ok_or_else(|| {
            let text = "the site folder is missing: run `make build`, or set LEPTOS_SITE_ROOT";
            StartError::Config(text.to_owned())
        })?,
    };
    let manifest = fs::read(root.join(MANIFEST))
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok());
    // Without a manifest the names have no fingerprint, as in the empty sites of tests and benchmarks.
    let plain = || Manifest {
        script: "caleida".to_owned(),
        style: "caleida".to_owned(),
    };
    let Manifest { script, style } = manifest.unwrap_or_else(plain);
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

fn beside_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?;
    [folder.join("site"), folder.parent()?.join("site")]
        .into_iter()
        .find(|path| path.is_dir())
}
