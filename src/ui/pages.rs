//! A file per screen: its handlers, and the view of what they loaded.

pub mod account;
pub mod api_key_new;
pub mod api_key_revoke;
pub mod api_keys;
pub mod audit_log;
pub mod deliveries;
pub mod delivery;
pub mod event;
pub mod event_types;
pub mod events;
pub mod guide;
pub mod invite;
pub mod login;
pub mod time_zone;
pub mod url_advice;
pub mod user;
pub mod users;
pub mod webhook_delete;
pub mod webhook_edit;
pub mod webhook_form;
pub mod webhook_new;
pub mod webhook_recover;
pub mod webhook_secret;
pub mod webhook_state;
pub mod webhook_test;
pub mod webhooks;
