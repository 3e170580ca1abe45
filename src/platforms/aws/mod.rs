//! Parts that the platforms on AWS share: partitions and hosts, credentials, signed requests and
//! the meaning of answers. No platform of its own.

mod chain;
pub(crate) mod classify;
pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod credentials;
pub(crate) mod endpoint;
pub(crate) mod log_in;
pub(crate) mod machine;
pub(crate) mod operations;
mod profile;
mod refused;
mod remedy;
pub(crate) mod sts;
pub(crate) mod xml;
