//! Handlers: each reads what its page shows, and prints it.

pub(super) mod actions;
pub(super) mod integration;
pub(super) mod lists;
pub(super) mod messages;
pub(super) mod overview;
pub(super) mod report;
pub(super) mod silences;
