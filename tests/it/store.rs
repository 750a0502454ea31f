//! The store's promises, through its traits only: whatever adapter stands behind them must keep these. The same suite
//! runs on both databases.

mod plans;
pub mod postgres;
pub mod sqlite;
