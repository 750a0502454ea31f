//! Site and server, built and started again at every change.

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

/// Where a change means to build again.
const WATCHED: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "crates/browser",
    "migrations",
    "public",
    "src",
    "style",
];

/// Editors write a file in several steps, a branch switch many files: wait until it is quiet for this long.
const QUIET: Duration = Duration::from_millis(150);

/// How long a server may take to stop before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);

enum Message {
    Changed,
    Stop,
}

/// Runs until Ctrl-C or SIGTERM, which also stop the server.
pub fn watch(root: &Path) -> Result<()> {
    let (sender, messages) = channel();
    let _watcher = watch_files(root, sender.clone())?;
    // The receiver outlives every signal but the one that comes while we return.
    ctrlc::set_handler(move || drop(sender.send(Message::Stop)))?;

    let mut server = None;
    loop {
        if let Err(error) = restart(root, &mut server) {
            eprintln!("error: {error:#}");
        }
        match next_change(&messages, &mut server) {
            Message::Changed => eprintln!("--- changed, building again"),
            Message::Stop => break,
        }
    }
    server.map_or(Ok(()), stop)
}

fn watch_files(root: &Path, sender: Sender<Message>) -> Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An event that could not be read may have been a change.
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

/// Not when a file is only read, or every build would start the next one; nor for what editors put beside a file.
fn is_change(event: &Event) -> bool {
    !event.kind.is_access() && event.paths.iter().any(|path| !is_scratch(path))
}

fn is_scratch(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name.ends_with('~') || name == "4913"
}

/// The old server serves until both builds are through: an error in the code leaves it running.
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
        // Whoever has just saved a file does not wait for an open page.
        command.env("CALEIDA_SHUTDOWN_GRACE", "1s");
    }
    command
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))
}

/// Asks it to leave, so that deliveries under way are recorded.
fn stop(mut server: Child) -> Result<()> {
    if server.try_wait()?.is_some() {
        return Ok(());
    }
    kill(Pid::from_raw(server.id().try_into()?), Signal::SIGTERM)?;
    let deadline = Instant::now() + PATIENCE;
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

#[expect(
    clippy::disallowed_methods,
    reason = "this thread is the whole program: there is no worker to block"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

/// Waits for a change and for the quiet after it. A server that ends by itself is reported, once.
fn next_change(messages: &Receiver<Message>, server: &mut Option<Child>) -> Message {
    let first = loop {
        match messages.recv_timeout(Duration::from_millis(500)) {
            Ok(message) => break message,
            Err(RecvTimeoutError::Disconnected) => break Message::Stop,
            Err(RecvTimeoutError::Timeout) => report_end(server),
        }
    };
    let mut latest = first;
    while matches!(latest, Message::Changed) {
        match messages.recv_timeout(QUIET) {
            Ok(message) => latest = message,
            Err(_) => return Message::Changed,
        }
    }
    latest
}

fn report_end(server: &mut Option<Child>) {
    if let Some(Ok(Some(status))) = server.as_mut().map(Child::try_wait) {
        eprintln!("--- the server ended ({status}); waiting for a change");
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
    fn a_new_file_is_a_change() {
        assert!(is_change(&event(
            EventKind::Create(CreateKind::File),
            "src/lib.rs"
        )));
    }

    #[test]
    fn reading_a_file_is_none() {
        assert!(!is_change(&event(
            EventKind::Access(AccessKind::Open(AccessMode::Any)),
            "src/lib.rs"
        )));
    }

    #[test]
    fn nor_is_what_an_editor_puts_beside_it() {
        for name in ["src/.lib.rs.swp", "src/lib.rs~", "src/4913"] {
            assert!(
                !is_change(&event(EventKind::Create(CreateKind::File), name)),
                "{name}"
            );
        }
    }

    #[test]
    fn many_changes_are_one_and_a_stop_is_not_lost_among_them() {
        let (sender, messages) = channel();
        sender.send(Message::Changed).unwrap();
        sender.send(Message::Changed).unwrap();
        assert!(matches!(next_change(&messages, &mut None), Message::Changed));
        sender.send(Message::Changed).unwrap();
        sender.send(Message::Stop).unwrap();
        assert!(matches!(next_change(&messages, &mut None), Message::Stop));
    }
}
