//! What the screens share.

pub mod activity_chart;
pub mod badge;
pub mod bar_chart;
pub mod count;
pub mod day_table;
pub mod dialog;
pub mod empty_state;
pub mod event_types;
pub mod field;
pub mod icon;
pub mod mark;
pub mod pagination;
pub mod prose;
pub mod roles;
pub mod select;
pub mod time_ago;
pub mod time_range;
