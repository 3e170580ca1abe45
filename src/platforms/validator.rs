//! Interface of a platform: its description and the validators that it makes.

use std::future::Future;
use std::pin::Pin;

use super::grants::{Grant, Names, Surplus};
use super::identity::Identity;
use super::operation::Operation;
use super::run::RunContext;
use crate::domain::{Observed, Report, Test};
use crate::input::Reader;

/// Description of a platform, which its folder exports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Platform {
    /// The `type` of its integrations, as published.
    pub(crate) kind: &'static str,
    /// Version of the catalog and of the meaning of the configuration; stored integrations of an
    /// earlier one are migrated.
    pub(crate) version: u32,
    /// Tests that a run can report, in the order they run.
    pub(crate) catalog: &'static [Test],
    /// Grants that the tests need, every test among them.
    pub(crate) grants: &'static [Grant],
    /// Values that `autoBootstrap` may have.
    pub(crate) auto_bootstrap: AutoBootstrap,
    /// Every request over HTTP and every question to a database server, by which a recording names answers.
    pub(crate) operations: &'static [Operation],
    /// Sample configuration file, parsed by a test and printed to users.
    pub(crate) sample: &'static str,
    /// Reads the `config` table; faults are left with the reader. Ends with `reader.finish()`. The
    /// flag is `autoBootstrap`, false where it is not given.
    pub(crate) parse: fn(Reader<'_>, bool) -> Option<Box<dyn Validator>>,
}

/// Values that the published interface allows for `autoBootstrap`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AutoBootstrap {
    /// Either `true` or `false`.
    Any,
    /// No other value than `false`.
    MustBeFalse,
    /// No value: the key is unknown.
    Absent,
}

/// Configured integration that can be validated again and again.
pub(crate) trait Validator: std::fmt::Debug + Send + Sync {
    /// Returns the values that other integrations are compared with, and the host for the limits.
    fn identity(&self) -> Identity;

    /// Opens keys and certificates, without a connection; returns the path of each that cannot be used, such as
    /// `config.tls.key`, with the reason. A secret that cannot be read is left out.
    fn examine(&self) -> BoxFuture<'_, Vec<(String, String)>> {
        Box::pin(std::future::ready(Vec::new()))
    }

    /// Returns the names of the configuration, by the places in [`Platform::grants`] that they fill.
    fn names(&self) -> Names {
        Names::default()
    }

    /// Returns the same names, and those that only a run shows, such as the owner of a token: `observed` is what it
    /// saw.
    fn names_seen(&self, _observed: &Observed) -> Names {
        self.names()
    }

    /// Returns the rights of the principal beyond what the tests need, as far as the platform shows them to it.
    /// It is asked after a run that logged in, and `observed` is what that run saw.
    fn surplus<'a>(
        &'a self,
        _run: &'a RunContext,
        _observed: &'a Observed,
    ) -> BoxFuture<'a, Surplus> {
        Box::pin(std::future::ready(Surplus::unseen("This platform does not show them.")))
    }

    /// Runs the catalog. It cannot fail: whatever goes wrong is an outcome in the report.
    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Validated>;
}

/// Report of a validation, and its observations.
#[derive(Debug)]
pub(crate) struct Validated {
    /// Results of the tests.
    pub(crate) report: Report,
    /// Facts and expiries that the tests saw.
    pub(crate) observed: Observed,
}

impl From<Report> for Validated {
    fn from(report: Report) -> Self {
        Self { report, observed: Observed::default() }
    }
}

/// Future of a validation.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
