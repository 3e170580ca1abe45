//! Example platform of `CONTRIBUTING.md`: one test, one request.
use super::connection::{self, Endpoint};
use super::{
    AutoBootstrap, BoxFuture, Grant, Identity, Operation, Platform, Recorder, RunContext,
    Validated, Validator,
};
use crate::domain::{Class, Finding, Test};
use crate::input::Reader;
use crate::net::backoff::retry;
use crate::net::exchange::{NoAnswer, request};
#[cfg(test)]
mod tests;
const CATALOG: &[Test] = &[CONNECT];
const CONNECT: Test = Test::always("Initial validation: connect", "Unable to connect to host.");
pub(super) const PLATFORM: Platform = Platform {
    kind: "Example",
    version: 1,
    catalog: CATALOG,
    grants: &[Grant::none(&[CONNECT], "an address that answers")],
    auto_bootstrap: AutoBootstrap::Any,
    operations: &[Operation::new("ping", "GET /ping")],
    sample: include_str!("sample.toml"),
    parse,
};
fn parse(mut reader: Reader<'_>, _auto_bootstrap: bool) -> Option<Box<dyn Validator>> {
    let mut server = connection::server(&mut reader, "endpoint");
    let endpoint = Endpoint::read(&mut reader, server.as_mut());
    reader.finish();
    Some(Box::new(Example { server: server?, endpoint: endpoint? }))
}
#[derive(Debug)]
struct Example {
    server: String,
    endpoint: Endpoint,
}
impl Validator for Example {
    fn identity(&self) -> Identity {
        Identity { host: connection::authority(&self.server).to_owned(), ..Identity::default() }
    }
    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Validated> {
        Box::pin(async move {
            let mut tests = Recorder::new(CATALOG, run);
            tests.test(CONNECT, async || self.ping(run).await).await;
            tests.finish()
        })
    }
}
impl Example {
    async fn ping(&self, run: &RunContext) -> Result<(), Finding> {
        let failed = |no: NoAnswer| Finding::of(CONNECT, no.class, format!("{}.", no.detail));
        let connections = self.endpoint.connections(&run.redactor).await.map_err(failed)?;
        let answer = retry(async || {
            let built = http::Request::get(format!("{}/ping", self.server)).body(Vec::new());
            connections.fetch(request(built)?, 1024).await
        });
        let answer = answer.await.map_err(failed)?;
        let status = answer.status;
        let refused =
            || Finding::of(CONNECT, Class::Denied, format!("It answered {status}.")).doubtful();
        answer.is_success().then_some(()).ok_or_else(refused)
    }
}
