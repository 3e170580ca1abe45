//! Credentials as a run reads them, before any token is asked for.

use super::classify::Failure;
use super::config::{Config, Credentials, Endpoints};
use super::key::{
    ACCOUNT, AnyCredential, EXTERNAL, ExternalAccount, ImpersonatedAccount, ImpersonationSource,
    ServiceAccountKey, Trust,
};
use super::source::CredentialSource;
use crate::domain::{Class, Redactor, Secret};
use crate::input::Reader;
use crate::net::jwt::{KeyError, SigningKey};
use crate::secrets::{self, SecretError};

/// Credentials of one run, read anew for each.
#[derive(Debug)]
pub(super) enum RunCredentials {
    /// Key of a service account.
    Key(ServiceAccountKey),
    /// Federated identity of a workload.
    Workload(Box<ExternalAccount>),
    /// Service account that one of them acts as.
    Impersonated(Box<ImpersonatedAccount>),
    /// Account of the machine, from its metadata server.
    Machine,
}

/// Credentials of a run, and the text that they were read from.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Credentials that were read.
    pub(super) credentials: RunCredentials,
    /// Text of the credential, by which a kept token is recognised.
    pub(super) text: Option<Secret>,
}

impl Loaded {
    /// Reads the configured credentials.
    ///
    /// # Errors
    ///
    /// Says which secret cannot be read, or what is wrong with it.
    pub(super) async fn read(config: &Config) -> Result<Self, Failure> {
        let text = match config.credentials.reference() {
            Some(reference) => Some(secrets::resolve(reference).await),
            None => None,
        };
        Self::of(config, text)
    }

    /// Reads as [`Self::read`] does and blocks the thread meanwhile, while a configuration is read.
    ///
    /// # Errors
    ///
    /// Those of [`Self::read`].
    pub(super) fn read_now(config: &Config) -> Result<Self, Failure> {
        Self::of(config, config.credentials.reference().map(secrets::resolve_now))
    }

    /// True for an identity of a workload that acts as no service account.
    pub(super) const fn is_federated(&self) -> bool {
        matches!(self.credentials, RunCredentials::Workload(_))
    }

    /// True for the account of the machine.
    pub(super) const fn is_machine(&self) -> bool {
        matches!(self.credentials, RunCredentials::Machine)
    }

    /// True for a key of a service account, whichever account it acts as.
    pub(super) fn has_key(&self) -> bool {
        match &self.credentials {
            RunCredentials::Key(_) => true,
            RunCredentials::Impersonated(account) => match account.source {
                ImpersonationSource::Key(_) => true,
                ImpersonationSource::Workload(_) => false,
            },
            RunCredentials::Workload(_) | RunCredentials::Machine => false,
        }
    }

    fn of(config: &Config, text: Option<Result<Secret, SecretError>>) -> Result<Self, Failure> {
        let text = text.transpose();
        let text =
            text.map_err(|error| Failure::silent(Class::Local, format!("`credential`: {error}")))?;
        let Endpoints { token, sts, iam_credentials, .. } = &config.endpoints;
        let trust = Trust {
            universe: &config.universe,
            own_token: token.is_some(),
            own_sts: sts.is_some(),
            own_impersonation: iam_credentials.is_some(),
        };
        let wrong =
            |reason: String| Failure::unusable(format!("`credential` cannot be used: {reason}"));
        let (wanted, text) = match (&config.credentials, text) {
            (Credentials::Key(_), Some(text)) => (ACCOUNT, text),
            (Credentials::Workload(_), Some(text)) => (EXTERNAL, text),
            (Credentials::Machine | Credentials::Key(_) | Credentials::Workload(_), _) => {
                return Ok(Self { credentials: RunCredentials::Machine, text: None });
            }
        };
        let credentials = match AnyCredential::read(&text, wanted, trust).map_err(wrong)? {
            AnyCredential::Key(key) => RunCredentials::Key(key),
            AnyCredential::Workload(external) => RunCredentials::Workload(external),
            AnyCredential::Impersonated(account) => RunCredentials::Impersonated(account),
        };
        Ok(Self { credentials, text: Some(text) })
    }

    /// Checks that the private key of the credential, if it has one, can sign.
    ///
    /// # Errors
    ///
    /// Names the fault of the key.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let key = match &self.credentials {
            RunCredentials::Key(key) => key,
            RunCredentials::Impersonated(account) => match &account.source {
                ImpersonationSource::Key(key) => key,
                ImpersonationSource::Workload(_) => return Ok(()),
            },
            RunCredentials::Workload(_) | RunCredentials::Machine => return Ok(()),
        };
        SigningKey::from_pem(&key.private_key).map(|_key| ()).map_err(|error| unsigned(&error))
    }

    /// Teaches `redactor` the secrets in the credential; its other parts are shown in messages.
    pub(super) fn teach(&self, redactor: &Redactor) {
        let of_workload = |external: &ExternalAccount| {
            if let CredentialSource::Url { headers, .. } = &external.source {
                for (_, value) in headers {
                    redactor.learn(value);
                }
            }
        };
        match &self.credentials {
            RunCredentials::Key(key) => redactor.learn(&key.private_key),
            RunCredentials::Workload(external) => of_workload(external),
            RunCredentials::Impersonated(account) => match &account.source {
                ImpersonationSource::Key(key) => redactor.learn(&key.private_key),
                ImpersonationSource::Workload(external) => of_workload(external),
            },
            RunCredentials::Machine => {}
        }
    }

    /// Returns the address of the service account, if the credentials themselves name it.
    pub(super) fn account(&self) -> Option<&str> {
        match &self.credentials {
            RunCredentials::Key(key) => Some(&key.email),
            RunCredentials::Workload(external) => {
                external.impersonation.as_ref().map(|found| found.email.as_str())
            }
            RunCredentials::Impersonated(account) => Some(&account.impersonation.email),
            RunCredentials::Machine => None,
        }
    }
}

/// Opens the credential and warns of what is wrong with it, as far as it can be read now. It may be
/// replaced before the first run, so it is no fault.
pub(super) fn warn_of_credential(reader: &Reader<'_>, config: &Config) {
    let checked = Loaded::read_now(config).and_then(|loaded| loaded.check());
    match checked {
        Err(failure) if failure.class == Class::Invalid => {
            reader.warn("credential", failure.detail);
        }
        Err(_) | Ok(()) => {}
    }
}

/// Returns the failure of a private key that cannot sign.
pub(super) fn unsigned(error: &KeyError) -> Failure {
    let reason = format!("`private_key` in `credential` cannot be used: {error}");
    Failure::unusable(reason)
}
