//! Native S3: Amazon S3 governed by S3 Access Grants.
//!
//! Every test is a signed GET or a comparison in memory; see `docs/platforms/s3.md`.

mod catalog;
mod client;
mod config;
mod endpoint;
mod grants;
mod integration;
mod local;
mod operations;
mod reply;
#[cfg(test)]
mod tests;

use reqsign_aws_v4::Credential;

use self::grants::GRANTS;
use super::aws::classify::{Failure, Refusal};
use super::aws::client::{Client, shown_key};
use super::aws::endpoint::partition_of;
use super::aws::machine::Machine;
use super::aws::xml::{Element, ReplyError};
use super::tested::Passed;
use super::{
    AutoBootstrap, BoxFuture, Identity, Mode, Names, Platform, Recorder, RunContext, Seen, Surplus,
    Validated, Validator,
};
use crate::domain::{Class, FactKind, Finding, Observed, Test};
use crate::input::Reader;
use catalog::{CALLER, CATALOG, INSTANCE, NAME, NOT_YET, PATH, REGISTERED, ROLE, TARGET};
use client::Request;
use config::{Config, Likeness, LocationPath};
use integration::S3;
use reply::{Caller, Location, caller, instance, key_count, locations};

/// The most pages of locations that are read; one instance has at most a thousand locations.
const PAGES_MAX: usize = 10;

/// Name of the role of a location that has none.
const NO_ROLE: &str = "none";

/// Beginning of the message when the caller is not identified.
const IDENTIFYING: &str = "Unable to fetch the caller's identity using STS";

/// Entry of Amazon S3 with Access Grants.
pub(super) const PLATFORM: Platform = Platform {
    kind: "Native S3",
    version: 1,
    catalog: CATALOG,
    grants: GRANTS,
    auto_bootstrap: AutoBootstrap::MustBeFalse,
    operations: operations::OPERATIONS,
    sample: include_str!("../../../config/examples/s3.toml"),
    parse,
};

fn parse(mut reader: Reader<'_>, _auto_bootstrap: bool) -> Option<Box<dyn Validator>> {
    let config = config::parse(&mut reader);
    let made = config.map(|config| S3::new(config, Machine::this()));
    let made = made.and_then(|made| made.map_err(|error| reader.fault("", error.to_string())).ok());
    reader.finish();
    Some(Box::new(made?))
}

/// Session of a run: the caller, and the connections.
struct Session {
    client: Client,
    credential: Credential,
    caller: Caller,
}

impl S3 {
    async fn run(&self, run: &RunContext) -> Validated {
        let mut tests = Recorder::new(CATALOG, run);
        tests.test(TARGET, async || self.no_duplicate_target(run)).await;
        tests.test(NAME, async || self.no_duplicate_name(run)).await;
        tests.test(ROLE, async || self.role_is_an_arn()).await;
        let location = match run.mode {
            Mode::Recurring => REGISTERED,
            Mode::Preflight => NOT_YET,
        };
        let key = self.credentials.source().key("s3", &self.config.region).await;
        let work = async || self.session(run).await;
        let Some(session) = tests.log_in::<Session, _, _>(CALLER, key, work).await else {
            for test in [INSTANCE, PATH, location] {
                tests.skip(test, after(CALLER));
            }
            return tests.finish();
        };
        let instance = tests.test(INSTANCE, async || self.instance(&session).await).await;
        if let Some(bucket) = &self.config.location.bucket {
            tests.test::<(), _, _>(PATH, async || self.path(&session, bucket).await).await;
        } else {
            let reason = "The default location [s3://] covers all buckets and cannot be listed.";
            tests.skip(PATH, reason);
        }
        match (instance, run.mode) {
            (None, _) => tests.skip(location, after(INSTANCE)),
            (Some(()), Mode::Preflight) => {
                tests.test(NOT_YET, async || self.not_yet(&session).await).await;
            }
            (Some(()), Mode::Recurring) => {
                tests.test::<(), _, _>(REGISTERED, async || self.registered(&session).await).await;
            }
        }
        tests.finish()
    }

    async fn session(&self, run: &RunContext) -> Result<Passed<Session>, Finding> {
        let connections = self.config.endpoint.connections(&run.redactor).await;
        let connections = connections.map_err(|no| Failure::from(no).finding(IDENTIFYING))?;
        let client = Client::new(connections, &self.config.region, run.now);
        let mut credential = self.credentials.current(&client, run).await?;
        let mut found = self.identify(&client, &credential).await;
        if matches!(&found, Err(finding) if finding.class == Class::Expired)
            && let Some(other) = self.credentials.renewed(&credential, &client, run).await?
        {
            credential = other;
            found = self.identify(&client, &credential).await;
        }
        let caller = found?;
        let seen = caller.facts();
        let Caller { user_id, arn, .. } = &caller;
        let message = format!("Found user ID [{user_id}], ARN [{arn}] using STS.");
        let value = Session { client, credential, caller };
        Ok(Passed::from(value).saying(message).seeing(seen))
    }

    async fn identify(&self, client: &Client, credential: &Credential) -> Result<Caller, Finding> {
        let request = Request::GetCallerIdentity;
        let answer = self.servers.ask(client, request, credential, caller).await;
        answer.map(|caller| caller.shown(client)).map_err(|failure| {
            let finding = failure.finding_of_log_in(IDENTIFYING);
            if let Some(fix) = failure.remedy(&self.config.region) {
                return finding.fix(fix);
            }
            match failure.class {
                Class::Denied | Class::Expired => finding.fix(format!(
                    "Renew access key {} or its secret; sts:GetCallerIdentity itself needs no \
                     permission.",
                    shown_key(&credential.access_key_id)
                )),
                Class::Local => finding.fix("Set the clock of this machine, and keep it set."),
                Class::Missing
                | Class::Invalid
                | Class::Unreachable
                | Class::Throttled
                | Class::Unavailable => finding,
            }
        })
    }

    async fn ask<T>(
        &self,
        Session { client, credential, .. }: &Session,
        request: Request<'_>,
        read: fn(&Element) -> Result<T, ReplyError>,
    ) -> Result<T, Failure> {
        self.servers.ask(client, request, credential, read).await
    }

    async fn instance(&self, session: &Session) -> Result<(), Finding> {
        let request = Request::GetAccessGrantsInstance;
        let answer = self.ask(session, request, instance).await;
        let Err(failure) = answer else { return Ok(()) };
        let Config { account, region, .. } = &self.config;
        let mut finding = failure.finding(&format!(
            "Unable to retrieve the access grants instance for account [{account}], region \
             [{region}]"
        ));
        let caller = &session.caller.account;
        if caller != account && failure.refusal().is_some() {
            finding.message = format!(
                "{} The credentials belong to account [{caller}]; this API cannot be called \
                 across accounts.",
                finding.message
            );
            return Err(finding.fix(format!("Use credentials of account {account}.")));
        }
        Err(match failure.class {
            Class::Denied => {
                let grant = || self.grant(session, "s3:GetAccessGrantsInstance");
                finding.fix(failure.remedy(region).unwrap_or_else(grant))
            }
            Class::Missing => finding.fix(format!(
                "Create an S3 Access Grants instance in account {account}, region {region}."
            )),
            Class::Invalid
            | Class::Expired
            | Class::Unreachable
            | Class::Throttled
            | Class::Unavailable
            | Class::Local => finding,
        })
    }

    async fn path(&self, session: &Session, bucket: &str) -> Result<Passed<()>, Finding> {
        let LocationPath { shown, prefix, .. } = &self.config.location;
        let request = Request::ListObjectsV2 { bucket, prefix };
        let failure = match self.ask(session, request, key_count).await {
            Ok(0) if !prefix.is_empty() => {
                let message = format!("No objects were found under [{shown}].");
                let fix = "Check the spelling of `awsLocationPath`; the first object ends this.";
                return Ok(reserved(Finding::new(Class::Missing, message).fix(fix)));
            }
            Ok(_) => {
                let seen = Seen::of(FactKind::Grant, shown, "s3:ListBucket");
                return Ok(Passed::from(()).seeing(seen));
            }
            Err(failure) => failure,
        };
        let partition = partition_of(&self.config.region).id;
        let arn = &session.caller.arn;
        let finding = self.unlisted(&failure, bucket);
        match (failure.class, failure.refusal()) {
            (Class::Denied, Some(refusal)) if refusal.is_permission() => {
                let message = format!(
                    "Immuta does not have access to the requested path [{shown}]. Without access, \
                     Immuta will be unable to assist with S3 path discovery during data source \
                     creation."
                );
                let grant =
                    || format!("Allow s3:ListBucket on arn:{partition}:s3:::{bucket} to {arn}.");
                let fix = failure.remedy(&self.config.region).unwrap_or_else(grant);
                Ok(reserved(Finding { message, ..finding }.fix(fix)))
            }
            _ => Err(finding),
        }
    }

    /// Why the path could not be listed, when permission is not the reason.
    fn unlisted(&self, failure: &Failure, bucket: &str) -> Finding {
        let Config { region, location: LocationPath { shown, .. }, .. } = &self.config;
        if let Some(Refusal { region: Some(other), .. }) = failure.refusal()
            && other != region
        {
            let message = format!("Bucket [{bucket}] is in region [{other}], not [{region}].");
            let fix = format!("Set `awsRegion` to {other}, or name a bucket of {region}.");
            let finding = Finding::new(Class::Invalid, message).fix(fix);
            return failure.evident(finding);
        }
        if failure.class == Class::Missing {
            let doing = format!("The requested path [{shown}] does not exist");
            return failure
                .finding(&doing)
                .fix(format!("Create bucket {bucket}, or correct `awsLocationPath`."));
        }
        let finding = failure.finding(&format!("Unable to list the requested path [{shown}]"));
        match failure.remedy(region) {
            Some(fix) => finding.fix(fix),
            None => finding,
        }
    }

    async fn not_yet(&self, session: &Session) -> Result<(), Finding> {
        let Some(Location { id, scope, role }) = self.location(session).await? else {
            return Ok(());
        };
        let role = role.unwrap_or_else(|| NO_ROLE.to_owned());
        let message = format!(
            "An Access Grants location [{id}] is already registered for [{scope}] with role \
             [{role}]."
        );
        let fix = format!("Deregister location {id}, or choose another `awsLocationPath`.");
        Err(Finding::new(Class::Invalid, message).fix(fix))
    }

    async fn registered(&self, session: &Session) -> Result<Passed<()>, Finding> {
        let Config { account, region, location, location_role, .. } = &self.config;
        let shown = &location.shown;
        match self.location(session).await? {
            None => {
                let message = format!(
                    "No Access Grants location is registered for [{shown}] in account [{account}], \
                     region [{region}]."
                );
                let fix = format!("Register {shown} with role {location_role}.");
                Err(Finding::new(Class::Missing, message).fix(fix))
            }
            Some(Location { id, role, .. }) if role.as_ref() != Some(location_role) => {
                let role = role.unwrap_or_else(|| NO_ROLE.to_owned());
                let message =
                    format!("Location [{id}] uses role [{role}] instead of [{location_role}].");
                let fix = format!("Update location {id} to role {location_role}.");
                Err(Finding::new(Class::Invalid, message).fix(fix))
            }
            Some(Location { id, scope, .. }) => {
                let role = location_role;
                let mut seen = Seen::of(FactKind::Grant, &scope, &format!("location {id}"));
                seen.fact(FactKind::Grant, &scope, &format!("role {role}"));
                let message = format!(
                    "Access Grants location [{id}] is registered for [{scope}] with role [{role}]."
                );
                Ok(Passed::from(()).saying(message).seeing(seen))
            }
        }
    }

    /// Returns the location that is registered for the configured path: of all pages, the one whose
    /// scope is most like it. All are listed and compared here: the service does not document how its
    /// own filter matches.
    async fn location(&self, session: &Session) -> Result<Option<Location>, Finding> {
        let Config { account, region, location, .. } = &self.config;
        let doing = format!(
            "Unable to list S3 access grants locations for account [{account}], location scope [{}]",
            location.shown
        );
        let (mut next, mut best) = (None, None);
        for _page in 0..PAGES_MAX {
            let request = Request::ListAccessGrantsLocations { next: next.as_deref() };
            let answer = self.ask(session, request, locations).await;
            let page = answer.map_err(|failure| {
                let finding = failure.finding(&doing);
                let grant = || self.grant(session, "s3:ListAccessGrantsLocations");
                let is_denied = failure.class == Class::Denied;
                match failure.remedy(region).or_else(|| is_denied.then(grant)) {
                    Some(fix) => finding.fix(fix),
                    None => finding,
                }
            })?;
            best = closest(location, best, page.locations);
            next = page.next;
            if next.is_none() || matches!(best, Some((Likeness::Exact, _))) {
                return Ok(best.map(|(_, found)| found.shown(&session.client)));
            }
        }
        let reason = format!("{doing}: there are more than {PAGES_MAX} pages of them.");
        Err(Finding::new(Class::Unavailable, reason))
    }

    /// Returns the remediation that allows `action` on the Access Grants instance.
    fn grant(&self, session: &Session, action: &str) -> String {
        let Config { account, region, .. } = &self.config;
        let partition = partition_of(region).id;
        let arn = &session.caller.arn;
        format!(
            "Allow {action} on arn:{partition}:s3:{region}:{account}:access-grants/default to {arn}."
        )
    }
}

impl Validator for S3 {
    fn identity(&self) -> Identity {
        let Config { name, account, region, credentials, endpoints, endpoint, .. } = &self.config;
        Identity {
            host: endpoints.s3_host(),
            config_name: Some(name.clone()),
            target: Some(self.target()),
            account: Some(format!("aws {account}")),
            region: Some(format!("aws {region}")),
            principal: Some(credentials.principal()),
            authority: endpoint.ca_file(),
        }
    }

    fn names(&self) -> Names {
        grants::names(&self.config)
    }

    fn surplus<'a>(
        &'a self,
        _run: &'a RunContext,
        observed: &'a Observed,
    ) -> BoxFuture<'a, Surplus> {
        Box::pin(std::future::ready(grants::beyond(observed)))
    }

    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Validated> {
        Box::pin(self.run(run))
    }
}

/// Returns the location that is most like `path`: `best` so far, or the first of `found` that is closer.
fn closest(
    path: &LocationPath,
    best: Option<(Likeness, Location)>,
    found: Vec<Location>,
) -> Option<(Likeness, Location)> {
    let like = |one: Location| Some((path.likeness(&one.scope)?, one));
    // The first of equals is kept, so what was found on earlier pages comes first.
    best.into_iter().chain(found.into_iter().filter_map(like)).min_by_key(|(likeness, _)| *likeness)
}

fn reserved(warning: Finding) -> Passed<()> {
    Passed::from(()).warning(Some(warning))
}

fn after(test: Test) -> String {
    format!("Not run because [{}] did not pass.", test.name)
}
