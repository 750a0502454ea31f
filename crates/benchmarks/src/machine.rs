//! What a process has used, as the kernel counts it.

use std::{fs, time::Duration};

use anyhow::Context;

/// Of `/proc/PID/stat`: hundredths of a second, fixed by the kernel's interface whatever its own clock.
const TICK: Duration = Duration::from_millis(10);

/// The fields of `/proc/PID/stat`, counted from the third: the name before it may hold spaces.
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

/// Time that all threads of a process have spent on a processor, in user and kernel mode.
pub fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    ticks(&stat(pid)?[11..13])
}

/// The same for a process with its children, living or not.
pub fn cpu_time_of_family(pid: u32) -> anyhow::Result<Duration> {
    let mut sum = ticks(&stat(pid)?[11..15])?;
    let processes = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // Who has ended meanwhile is nobody's child.
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
