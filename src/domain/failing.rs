//! How long a webhook may fail before it is disabled.

use std::time::Duration;

use super::Timestamp;

/// Without one success for so long, nobody can be expected to be there.
pub const AT_MOST: Duration = Duration::from_secs(5 * 24 * 60 * 60);

/// Somebody is told when so many per cent of [`AT_MOST`] have passed.
pub const NOTICES: [u32; 3] = [50, 70, 90];

/// What a failure at `now` means for a webhook that has failed since `since`, and was last judged at `before`.
///
/// | since | before | now | verdict |
/// |---|---|---|---|
/// | 0 h | 50 h | 59 h | none |
/// | 0 h | 59 h | 61 h | notice, 50 % |
/// | 0 h | 59 h | 100 h | notice, 70 % |
/// | 0 h | 119 h | 120 h | disable |
pub fn judge(since: Timestamp, before: Timestamp, now: Timestamp) -> Option<Verdict> {
    if now.since(since) >= AT_MOST {
        return Some(Verdict::Disable);
    }
    let passed = |at: Timestamp, per_cent: u32| at.since(since) >= AT_MOST * per_cent / 100;
    NOTICES
        .into_iter()
        .rev()
        .find(|&notice| passed(now, notice))
        .filter(|&notice| !passed(before, notice))
        .map(Verdict::Notice)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// So many per cent of the time have passed.
    Notice(u32),
    Disable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_notice_comes_once_and_then_the_end() {
        let at = |hours: i64| Timestamp::from_millis(hours * 3_600_000);
        for (before, now, verdict) in [
            (0, 0, None),
            (50, 59, None),
            (59, 61, Some(Verdict::Notice(50))),
            (61, 62, None),
            (59, 100, Some(Verdict::Notice(70))),
            (100, 109, Some(Verdict::Notice(90))),
            (109, 119, None),
            (119, 120, Some(Verdict::Disable)),
            (0, 500, Some(Verdict::Disable)),
        ] {
            assert_eq!(judge(at(0), at(before), at(now)), verdict, "{before} to {now} h");
        }
    }
}
