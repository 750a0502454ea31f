//! What the logs have in common: pages by age that cost the same however long the history is.

/// How many rows a page scans for what no index finds, before it returns what it has.
pub(super) const SCANNED: i64 = 5_000;

/// The rows of a page, and whether more follow: one more than `limit` was asked for.
pub(super) fn page_of<T>(mut rows: Vec<T>, limit: u32) -> (Vec<T>, bool) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    (rows, has_more)
}
