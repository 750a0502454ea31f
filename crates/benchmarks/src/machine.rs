//! Resource usage of processes, as reported by the kernel.

use std::{fs, time::Duration};

use anyhow::Context;

/// Unit of CPU time in `/proc/PID/stat` (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Returns the fields of `/proc/PID/stat` from the third on: the second, the name, may contain spaces.
fn stat(pid: u32) -> anyhow::Result<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").context("no name in /proc/PID/stat")?;
    Ok(fields.split(' ').map(str::to_owned).collect())
}

fn ticks(fields: &[String]) -> anyhow::Result<Duration> {
    let ticks = fields
        .iter()
        .map(|field| field.parse::<u32>())
        .sum::<Result<u32, _>>()?;
    Ok(TICK * ticks)
}

/// Returns the CPU time of all threads of a process, in user and kernel mode.
pub fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    ticks(&stat(pid)?[11..13])
}

/// Returns the CPU time of a process and its children, including those that have exited.
pub fn cpu_time_with_children(pid: u32) -> anyhow::Result<Duration> {
    let mut sum = ticks(&stat(pid)?[11..15])?;
    let processes = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // A process that has exited meanwhile cannot be read.
    for fields in processes.filter_map(|process: u32| stat(process).ok()) {
        if fields[1] == pid.to_string() {
            sum += ticks(&fields[11..13])?;
        }
    }
    Ok(sum)
}

pub fn own_cpu_time() -> anyhow::Result<Duration> {
    cpu_time(std::process::id())
}

/// Returns the peak memory of a process in bytes.
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
