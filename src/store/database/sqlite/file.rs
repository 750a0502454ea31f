//! The file of a database: its path, and the lock of the process that serves it.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

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

/// Creates the folder of a database file. Only its owner can read it, because the database contains payloads.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => return Ok(()),
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    access(folder, Access::WRITE_OK).map_err(|error| {
        let text = format!("the folder {} is not writable: {error}", folder.display());
        io::Error::new(io::Error::from(error).kind(), text)
    })
}

/// Creates the file if it does not exist. Only its owner can read it. SQLite gives its other files the same rights.
///
/// An existing file is not opened: closing it again would release the locks that SQLite has on it in this process.
pub(super) fn create(path: &Path) -> io::Result<()> {
    match File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
    {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Returns whether the file has a database. An empty file has none: SQLite treats it as a new database.
pub(super) fn has_database(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
}

/// A file that the program has open, to notice that another one has taken its place.
#[derive(Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    /// Device and number, which identify a file.
    id: (u64, u64),
}

impl OpenFile {
    /// Returns the file at this path, which was just opened.
    pub(super) fn at(path: PathBuf) -> io::Result<Self> {
        let id = identify(&path)?;
        Ok(Self { path, id })
    }

    /// Fails if the file was deleted or replaced. What is written to it would be lost when it is closed.
    pub(super) fn require_in_place(&self) -> Result<(), StoreError> {
        if identify(&self.path).is_ok_and(|id| id == self.id) {
            return Ok(());
        }
        Err(StoreError::unavailable(format!(
            "{} was deleted or replaced while it is in use: stop Caleida, put the right file in place, then start it",
            self.path.display()
        )))
    }
}

fn identify(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
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
    fn deleted_and_replaced_files_are_not_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        create(&path).unwrap();
        let opened = OpenFile::at(path.clone()).unwrap();
        opened.require_in_place().unwrap();
        fs::write(&path, "more").unwrap();
        opened.require_in_place().unwrap();
        let moved = folder.path().join("moved.db");
        fs::rename(&path, &moved).unwrap();
        assert!(opened.require_in_place().is_err());
        fs::copy(&moved, &path).unwrap();
        assert!(opened.require_in_place().is_err());
        fs::rename(&moved, &path).unwrap();
        opened.require_in_place().unwrap();
    }

    #[test]
    fn only_the_owner_can_read_a_new_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/a.db");
        create_folder(&path).unwrap();
        create(&path).unwrap();
        for (path, expected) in [(path.parent().unwrap(), 0o700), (&path, 0o600)] {
            assert_eq!(
                fs::metadata(path).unwrap().mode() & 0o777,
                expected,
                "{}",
                path.display()
            );
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
