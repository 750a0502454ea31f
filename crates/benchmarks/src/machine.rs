//! What a process has used, as the kernel counts it.

use std::{fs, time::Duration};

use anyhow::Context;

/// Of `/proc/PID/stat`: hundredths of a second, fixed by the kernel's interface whatever its own clock.
const TICK: Duration = Duration::from_millis(10);

/// Time that all threads of a process have spent on a processor, in user and kernel mode.
pub fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold spaces; the fields after it are counted from the third.
    let (_, fields) = stat.rsplit_once(") ").context("no name in /proc/PID/stat")?;
    let fields: Vec<_> = fields.split(' ').collect();
    let ticks: u32 = fields[11].parse::<u32>()? + fields[12].parse::<u32>()?;
    Ok(TICK * ticks)
}

pub fn own_cpu_time() -> anyhow::Result<Duration> {
    cpu_time(std::process::id())
}

/// The most memory that a process has had at once, in bytes.
pub fn peak_memory(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("no VmHWM in /proc/PID/status")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}

pub fn cores() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
}
