//! Tests of the interface as a whole, over a daemon whose integrations a server of the tests refuses.

mod actions;
mod bench;
mod daemon;
mod document;
mod lists;
mod published;
mod streams;
