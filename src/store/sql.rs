//! Methods of [`Store`] with their SQL statements, one file per subject. Each method is one operation in one
//! transaction.

mod api_keys;
mod assets;
mod audit;
mod cluster;
mod copy;
mod deliveries;
mod delivery_log;
mod event_log;
mod events;
mod fan_outs;
mod filtering;
mod invites;
mod keys;
mod locks;
mod new_deliveries;
mod open_deliveries;
mod paces;
mod people;
mod recovery;
mod retention;
mod sessions;
mod settling;
mod submitted_forms;
mod webhook_changes;
mod webhook_filter;
mod webhook_health;
mod webhook_search;
mod webhooks;

pub(super) use new_deliveries::NewDelivery;
