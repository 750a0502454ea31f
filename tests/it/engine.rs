//! What is promised of the moments between two steps, each of them hit on purpose, on each database.

mod postgres;
mod sqlite;
