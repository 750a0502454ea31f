//! The file of a database: its path, and the lock of the process that serves it.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::store::StoreError;

/// Returns the absolute path without symbolic links, as SQLite uses it. The file itself need not exist.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        resolved => return resolved,
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // A link to a file that does not exist yet. A circle of links has failed above, with another error.
    if let Ok(target) = fs::read_link(path) {
        return resolve(&folder.join(target));
    }
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    Ok(fs::canonicalize(folder)?.join(name))
}

/// Creates the folder of a database file.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::create_dir_all(folder),
        _ => Ok(()),
    }
}

/// Returns whether the file has a database. An empty file has none: SQLite treats it as a new database.
pub(super) fn has_database(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
}

/// The lock of the process that serves a database. The operating system releases it when the process ends.
///
/// It is a file of its own, because closing any other handle of the database file would release the locks of SQLite.
pub(super) struct ServeLock {
    _file: File,
}

impl ServeLock {
    /// Takes the lock of the database in this file. Fails if another process has it.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let mut path = database.as_os_str().to_owned();
        path.push("-lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path);
        let cannot_lock = |error: io::Error| {
            StoreError::Open(format!("failed to lock {}: {error}", Path::new(&path).display()))
        };
        let file = file.map_err(cannot_lock)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::Error(error)) => Err(cannot_lock(error)),
            Err(TryLockError::WouldBlock) => Err(StoreError::Open(format!(
                "another process already serves the database {}: stop it first, or use PostgreSQL for several processes",
                database.display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_and_relative_paths_resolve_to_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(folder.join("data")).unwrap();
        symlink("data", folder.join("linked")).unwrap();
        symlink("linked/a.db", folder.join("link.db")).unwrap();
        symlink("circle.db", folder.join("circle.db")).unwrap();
        let file = folder.join("data/a.db");
        let paths = ["data/a.db", "data/../linked/./a.db", "link.db"];
        // Before and after the file is created.
        for path in paths {
            assert_eq!(resolve(&folder.join(path)).unwrap(), file, "{path}");
        }
        fs::write(&file, "").unwrap();
        for path in paths {
            assert_eq!(resolve(&folder.join(path)).unwrap(), file, "{path}");
        }
        let working = std::env::current_dir().unwrap();
        assert_eq!(resolve(Path::new("new.db")).unwrap(), working.join("new.db"));
        for path in ["circle.db", "missing/a.db"] {
            assert!(resolve(&folder.join(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn a_database_is_served_by_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let (database, other) = (folder.path().join("a.db"), folder.path().join("b.db"));
        let lock = ServeLock::take(&database).unwrap();
        let refused = ServeLock::take(&database).map(drop).unwrap_err().to_string();
        assert!(refused.contains(database.to_str().unwrap()), "{refused}");
        ServeLock::take(&other).unwrap();
        drop(lock);
        ServeLock::take(&database).unwrap();
    }
}
