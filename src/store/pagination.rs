//! What the lists have in common.

/// How many rows a page looks through for what no index finds, before it answers with what it has.
pub(super) const LOOKED_THROUGH: i64 = 5_000;
