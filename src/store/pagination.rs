//! Pagination of the logs. A page costs the same however long the history is.

/// Maximum number of rows that a page scans if no index covers its filter. A page that reaches the limit may be
/// incomplete.
pub(super) const SCAN_LIMIT: i64 = 5_000;

/// Truncates rows to `limit`, and returns whether there were more. The query must have a limit of `limit + 1`.
pub fn split_page<T>(mut rows: Vec<T>, limit: u32) -> (Vec<T>, bool) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    (rows, has_more)
}
