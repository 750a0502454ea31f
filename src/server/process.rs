//! What the system tells of this process, and permits it.

use std::fs;

use rustix::process::{Resource, getrlimit, setrlimit};

pub(super) struct Process {
    pub(super) resident_bytes: i64,
    pub(super) open_files: i64,
    pub(super) processor_seconds: f64,
}

/// In which Linux counts processor time for those who read it, on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// Lets this process have as many connections open at once as the system permits: what it may have without asking, often
/// a thousand, is fewer than its receivers and callers need.
pub fn allow_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "failed to raise the limit of open files");
    }
}

/// `None` where there is no `/proc`.
pub(super) fn look() -> Option<Process> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    Some(Process {
        resident_bytes: resident_kilobytes(&status)? * 1024,
        open_files: i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()?,
        processor_seconds: ticks(&stat)? / TICKS_PER_SECOND,
    })
}

fn resident_kilobytes(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Of the user and of the system. The program's name before them is in parentheses, and may hold anything.
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
    fn a_strange_name_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9 0 100 1 1";
        assert_eq!(ticks(stat), Some(300.0));
    }

    #[test]
    fn memory_is_read_with_its_unit() {
        assert_eq!(resident_kilobytes("Name:\tx\nVmRSS:\t    1234 kB\n"), Some(1234));
        assert_eq!(resident_kilobytes("Name:\tx\n"), None);
    }
}
