//! Resource usage and limits of this process.

use std::fs;

use rustix::process::{Resource, getrlimit, setrlimit};

/// Resource usage of this process.
pub(super) struct Usage {
    pub(super) resident_bytes: i64,
    pub(super) open_files: i64,
    pub(super) processor_seconds: f64,
}

/// Unit of the CPU times in `/proc/self/stat` (`USER_HZ`), the same on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// Raises the limit of open files to the maximum. The default, often 1,024, is too low for the connections of clients
/// and receivers.
pub fn raise_open_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "failed to raise the limit of open files");
    }
}

/// Returns the resource usage, or `None` on systems without `/proc`.
pub(super) fn usage() -> Option<Usage> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    Some(Usage {
        resident_bytes: resident_kilobytes(&status)? * 1024,
        open_files: i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()?,
        processor_seconds: ticks(&stat)? / TICKS_PER_SECOND,
    })
}

fn resident_kilobytes(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Returns the user and system CPU time in ticks. Skips the program's name, which is in parentheses and can contain any
/// character.
fn ticks(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some(ticks()? + ticks()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_name_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9 0 100 1 1";
        assert_eq!(ticks(stat), Some(300.0));
    }

    #[test]
    fn parses_resident_memory() {
        assert_eq!(resident_kilobytes("Name:\tx\nVmRSS:\t    1234 kB\n"), Some(1234));
        assert_eq!(resident_kilobytes("Name:\tx\n"), None);
    }
}
