//! Rebuilds the site and the server, and restarts the server, on each change.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::mode::Mode;
use crate::{bundle, cargo};

/// Paths whose changes trigger a build.
const WATCHED: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "crates/browser",
    "migrations",
    "public",
    "src",
    "style",
];

/// Time without changes after which a build starts: editors write a file in several steps, and a branch switch changes
/// many files.
const DEBOUNCE: Duration = Duration::from_millis(150);

/// Time for the server to stop before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

enum Message {
    Changed,
    Stop,
}

/// Builds, serves and watches for changes until Ctrl-C or SIGTERM, then stops the server.
pub fn watch(root: &Path) -> Result<()> {
    let (sender, messages) = channel();
    let _watcher = watch_files(root, sender.clone())?;
    // Sending fails only for a signal that arrives while this function returns.
    ctrlc::set_handler(move || drop(sender.send(Message::Stop)))?;

    let mut server = None;
    loop {
        if let Err(error) = restart(root, &mut server) {
            eprintln!("error: {error:#}");
        }
        match next_change(&messages, &mut server) {
            Message::Changed => eprintln!("--- files changed, rebuilding"),
            Message::Stop => break,
        }
    }
    server.map_or(Ok(()), stop)
}

fn watch_files(root: &Path, sender: Sender<Message>) -> Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // A failed event may have been a change.
        if event.as_ref().map_or(true, is_change) {
            drop(sender.send(Message::Changed));
        }
    })?;
    for name in WATCHED {
        let path = root.join(name);
        if path.exists() {
            watcher
                .watch(&path, RecursiveMode::Recursive)
                .with_context(|| format!("cannot watch {name}"))?;
        }
    }
    Ok(watcher)
}

/// Returns whether an event is a change. Excludes reads, since each build would trigger the next one, and temporary
/// files of editors.
fn is_change(event: &Event) -> bool {
    !event.kind.is_access() && event.paths.iter().any(|path| !is_scratch(path))
}

fn is_scratch(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name.ends_with('~') || name == "4913"
}

/// Builds, then replaces the running server. If a build fails, the server keeps running.
fn restart(root: &Path, server: &mut Option<Child>) -> Result<()> {
    bundle::build(root, Mode::Dev)?;
    let binary = cargo::build_server(root)?;
    if let Some(running) = server.take() {
        stop(running)?;
    }
    *server = Some(start(root, &binary)?);
    Ok(())
}

fn start(root: &Path, binary: &PathBuf) -> Result<Child> {
    let mut command = Command::new(binary);
    command.arg("serve").current_dir(root);
    if env::var_os("CALEIDA_SHUTDOWN_GRACE").is_none() {
        // A restart should not wait for open connections of a browser.
        command.env("CALEIDA_SHUTDOWN_GRACE", "1s");
    }
    command
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))
}

/// Stops the server gracefully, so that it records deliveries in flight.
fn stop(mut server: Child) -> Result<()> {
    if server.try_wait()?.is_some() {
        return Ok(());
    }
    kill(Pid::from_raw(server.id().try_into()?), Signal::SIGTERM)?;
    let deadline = Instant::now() + STOP_TIMEOUT;
    while server.try_wait()?.is_none() {
        if Instant::now() > deadline {
            server.kill()?;
            server.wait()?;
            break;
        }
        pause();
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this program has no async runtime")]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

/// Waits for a change and until no more changes follow. Reports if the server exits meanwhile.
fn next_change(messages: &Receiver<Message>, server: &mut Option<Child>) -> Message {
    let first = loop {
        match messages.recv_timeout(Duration::from_millis(500)) {
            Ok(message) => break message,
            Err(RecvTimeoutError::Disconnected) => break Message::Stop,
            Err(RecvTimeoutError::Timeout) => report_exit(server),
        }
    };
    let mut latest = first;
    while matches!(latest, Message::Changed) {
        match messages.recv_timeout(DEBOUNCE) {
            Ok(message) => latest = message,
            Err(_) => return Message::Changed,
        }
    }
    latest
}

fn report_exit(server: &mut Option<Child>) {
    if let Some(Ok(Some(status))) = server.as_mut().map(Child::try_wait) {
        eprintln!("--- the server exited ({status}); waiting for changes");
        *server = None;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc::channel;

    use notify::event::{AccessKind, AccessMode, CreateKind, Event, EventKind};

    use super::{Message, is_change, next_change};

    fn event(kind: EventKind, path: &str) -> Event {
        Event::new(kind).add_path(Path::new(path).to_path_buf())
    }

    #[test]
    fn new_file_is_a_change() {
        assert!(is_change(&event(
            EventKind::Create(CreateKind::File),
            "src/lib.rs"
        )));
    }

    #[test]
    fn reading_a_file_is_not_a_change() {
        assert!(!is_change(&event(
            EventKind::Access(AccessKind::Open(AccessMode::Any)),
            "src/lib.rs"
        )));
    }

    #[test]
    fn temporary_file_of_an_editor_is_not_a_change() {
        for name in ["src/.lib.rs.swp", "src/lib.rs~", "src/4913"] {
            assert!(
                !is_change(&event(EventKind::Create(CreateKind::File), name)),
                "{name}"
            );
        }
    }

    #[test]
    fn changes_are_merged_and_a_stop_is_not_lost() {
        let (sender, messages) = channel();
        sender.send(Message::Changed).unwrap();
        sender.send(Message::Changed).unwrap();
        assert!(matches!(next_change(&messages, &mut None), Message::Changed));
        sender.send(Message::Changed).unwrap();
        sender.send(Message::Stop).unwrap();
        assert!(matches!(next_change(&messages, &mut None), Message::Stop));
    }
}
