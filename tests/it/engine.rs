//! Changes of a webhook at each point of a delivery, on each database.

mod postgres;
mod sqlite;
