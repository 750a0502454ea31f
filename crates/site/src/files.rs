//! Operations on folders that std lacks.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Returns all files below `folder`, sorted. Returns none if the folder does not exist.
pub fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot list {}", folder.display())),
        };
        for entry in entries {
            let path = entry?.path();
            let list = if path.is_dir() { &mut folders } else { &mut found };
            list.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Copies all files below `from` to the same relative paths below `to`.
pub fn copy_below(from: &Path, to: &Path) -> Result<()> {
    for file in below(from)? {
        let copy = to.join(file.strip_prefix(from)?);
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&file, &copy).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}

/// Removes `folder` with its content, if it exists.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Replaces `current` with `next`. For some microseconds between the two renames there is no site, but never an
/// incomplete one.
pub fn replace(current: &Path, next: &Path) -> Result<()> {
    let old = current.with_extension("old");
    remove(&old)?;
    match fs::rename(current, &old) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot rename {}", current.display()));
        }
        _ => {}
    }
    fs::rename(next, current).with_context(|| format!("cannot rename {}", next.display()))?;
    remove(&old)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{below, copy_below, replace};

    #[test]
    fn copy_keeps_folders_and_names() {
        let home = tempfile::tempdir().unwrap();
        let (from, to) = (home.path().join("from"), home.path().join("to"));
        fs::create_dir_all(from.join("fonts")).unwrap();
        fs::write(from.join("favicon.svg"), "a").unwrap();
        fs::write(from.join("fonts/text.woff2"), "b").unwrap();
        copy_below(&from, &to).unwrap();
        assert_eq!(
            below(&to).unwrap(),
            [to.join("favicon.svg"), to.join("fonts/text.woff2")]
        );
    }

    #[test]
    fn missing_folder_has_no_files() {
        let home = tempfile::tempdir().unwrap();
        assert!(below(&home.path().join("missing")).unwrap().is_empty());
    }

    #[test]
    fn next_site_replaces_the_current_one() {
        let home = tempfile::tempdir().unwrap();
        let (site, next) = (home.path().join("site"), home.path().join("site.next"));
        for (build, name) in [(1, "first.js"), (2, "second.js")] {
            fs::create_dir(&next).unwrap();
            fs::write(next.join(name), build.to_string()).unwrap();
            replace(&site, &next).unwrap();
        }
        assert_eq!(below(home.path()).unwrap(), [site.join("second.js")]);
    }
}
