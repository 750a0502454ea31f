//! The statements, in a file for each subject: methods of [`Store`], each one operation in one transaction.

mod api_keys;
mod audit;
mod cluster;
mod copy;
mod deliveries;
mod delivery_log;
mod event_log;
mod events;
mod invites;
mod keys;
mod locks;
mod open;
mod people;
mod recovery;
mod retention;
mod sessions;
mod tally;
mod webhook_filter;
mod webhooks;
