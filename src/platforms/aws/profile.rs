//! Shared configuration files of AWS: a profile, resolved into a source of credentials and the roles on
//! the way.
//!
//! Keys are those of the AWS SDKs' reference guide ("Assume role credential provider", "Process
//! credential provider", "IAM Identity Center credential provider"). What needs a program or a person
//! is refused by its name: the daemon runs no programs and opens no browser.

use std::collections::{BTreeMap, BTreeSet};

use reqsign_aws_v4::Credential;

/// Most profiles that one profile leads through.
const PROFILES_MAX: usize = 5;

/// Keys and values of the profiles in both files.
#[derive(Debug, Default)]
pub(super) struct Profiles(BTreeMap<String, BTreeMap<String, String>>);

/// Source of credentials that a profile leads to, and the roles on the way.
pub(super) struct Plan {
    /// Credentials that the profile starts with.
    pub(super) base: Base,
    /// Roles that are assumed with them, in order.
    pub(super) hops: Vec<Hop>,
}

/// First credentials of a profile.
pub(super) enum Base {
    /// Key in the profile.
    Key(Credential),
    /// Web identity: the role, and the file of the token.
    WebIdentity {
        /// ARN of the role.
        role: String,
        /// Path of the token.
        file: String,
    },
    /// Key in the environment.
    Environment,
    /// Credentials of the container.
    Container,
    /// Credentials of the instance.
    Instance,
}

/// Role that a profile assumes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Hop {
    /// ARN of the role.
    pub(super) arn: String,
    /// External id that the role's trust policy requires.
    pub(super) external_id: Option<String>,
}

/// Format of a file: sections of the configuration file begin with `profile`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    /// As in `~/.aws/credentials`, by plain names.
    Credentials,
    /// As in `~/.aws/config`, with the prefix `profile`.
    Config,
}

impl Profiles {
    /// Adds the profiles in `text`. The first value of a key stays: the credentials file is added
    /// before the configuration file, and has precedence.
    pub(super) fn add(&mut self, text: &str, format: Format) {
        let mut section: Option<String> = None;
        for line in text.lines() {
            // Indented lines belong to a setting with parts of its own, such as `s3 =`.
            if line.starts_with([' ', '\t']) || line.starts_with(['#', ';']) {
                continue;
            }
            let line = line.trim();
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                section = profile_name(name, format);
                if let Some(name) = &section {
                    self.0.entry(name.clone()).or_default();
                }
            } else if let (Some(name), Some((key, value))) = (&section, line.split_once('=')) {
                let profile = self.0.entry(name.clone()).or_default();
                let value = value.split(" #").next().unwrap_or_default().trim();
                profile.entry(key.trim().to_lowercase()).or_insert_with(|| value.to_owned());
            }
        }
    }

    /// Returns the plan of the profile `name`; none when there is no such profile, or nothing in it.
    ///
    /// # Errors
    ///
    /// Names the setting that is wrong, or that needs a program or a person, with what to use instead.
    pub(super) fn plan(&self, name: &str) -> Result<Option<Plan>, String> {
        let (mut name, mut hops, mut seen) = (name.to_owned(), Vec::new(), BTreeSet::new());
        loop {
            let Some(profile) = self.0.get(&name).map(Profile) else {
                if hops.is_empty() {
                    return Ok(None);
                }
                return Err(format!("profile [{name}], which is a `source_profile`, is missing"));
            };
            let again = !seen.insert(name.clone());
            if PROFILES_MAX < seen.len() {
                return Err(format!("more than {PROFILES_MAX} profiles lead to profile [{name}]"));
            }
            match profile.step(&name, again)? {
                Step::Nothing if hops.is_empty() => return Ok(None),
                Step::Nothing => return Err(format!("profile [{name}] has no credentials in it")),
                Step::Base(base) => {
                    hops.reverse();
                    return Ok(Some(Plan { base, hops }));
                }
                Step::Assume { hop, with: With::Profile(source) } => {
                    hops.push(hop);
                    name = source;
                }
                Step::Assume { hop, with: With::Base(base) } => {
                    hops.push(hop);
                    hops.reverse();
                    return Ok(Some(Plan { base, hops }));
                }
            }
        }
    }
}

/// Returns the name of the profile in a section's title; none for other sections.
fn profile_name(title: &str, format: Format) -> Option<String> {
    let title = title.trim();
    let unquoted = |name: &str| name.trim().trim_matches(['"', '\'']).to_owned();
    match (format, title.strip_prefix("profile ")) {
        (Format::Credentials, _) => Some(unquoted(title)),
        (Format::Config, Some(name)) => Some(unquoted(name)),
        (Format::Config, None) => (title == "default").then(|| title.to_owned()),
    }
}

/// Keys and values of one profile.
struct Profile<'p>(&'p BTreeMap<String, String>);

/// Next step on the way to credentials.
enum Step {
    /// There are no credentials in the profile.
    Nothing,
    /// Credentials that the profile starts with.
    Base(Base),
    /// Role that is assumed with other credentials.
    Assume { hop: Hop, with: With },
}

/// Credentials that a role is assumed with.
enum With {
    /// Those of another profile.
    Profile(String),
    /// Those of the machine.
    Base(Base),
}

impl Profile<'_> {
    fn get(&self, key: &str) -> Option<String> {
        self.0.get(key).filter(|value| !value.is_empty()).cloned()
    }

    /// Returns the step of the profile `name`; `again` when it has been passed already, as a profile
    /// that is its own source: its key counts then.
    fn step(&self, name: &str, again: bool) -> Result<Step, String> {
        if let Some(arn) = self.get("role_arn").filter(|_| !again) {
            return self.role(name, arn);
        }
        if let (Some(id), Some(secret)) =
            (self.get("aws_access_key_id"), self.get("aws_secret_access_key"))
        {
            return Ok(Step::Base(Base::Key(Credential {
                access_key_id: id,
                secret_access_key: secret,
                session_token: self.get("aws_session_token"),
                expires_in: None,
            })));
        }
        if self.get("credential_process").is_some() {
            return Err(format!(
                "profile [{name}] has a `credential_process`, and this daemon runs no programs; \
                 serve its credentials instead (for IAM Roles Anywhere: `aws_signing_helper serve`, \
                 and AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:9911), or let a timer write \
                 them into the profile (`aws_signing_helper update`)"
            ));
        }
        if self.get("sso_session").or_else(|| self.get("sso_start_url")).is_some() {
            return Err(format!(
                "profile [{name}] logs in by IAM Identity Center (`sso_session`, `sso_start_url`), \
                 which needs a person with a browser; use a role, an access key or a web identity \
                 instead"
            ));
        }
        if self.get("login_session").is_some() {
            return Err(format!(
                "profile [{name}] logs in by the console (`login_session`), which needs a person \
                 with a browser; use a role, an access key or a web identity instead"
            ));
        }
        Ok(Step::Nothing)
    }

    fn role(&self, name: &str, arn: String) -> Result<Step, String> {
        if self.get("mfa_serial").is_some() {
            return Err(format!(
                "profile [{name}] has an `mfa_serial`, and there is no person to type a code; use a role \
                 whose trust policy does not ask for multi-factor authentication"
            ));
        }
        if let Some(file) = self.get("web_identity_token_file") {
            return Ok(Step::Base(Base::WebIdentity { role: arn, file }));
        }
        let hop = Hop { arn, external_id: self.get("external_id") };
        if let Some(source) = self.get("source_profile") {
            return Ok(Step::Assume { hop, with: With::Profile(source) });
        }
        let source = self.get("credential_source").unwrap_or_default();
        let base = match source.as_str() {
            "Environment" => Base::Environment,
            "EcsContainer" => Base::Container,
            "Ec2InstanceMetadata" => Base::Instance,
            _ => {
                return Err(format!(
                    "profile [{name}] has a `role_arn` without `source_profile`, \
                     `web_identity_token_file` or a known `credential_source` (Environment, \
                     EcsContainer, Ec2InstanceMetadata)"
                ));
            }
        };
        Ok(Step::Assume { hop, with: With::Base(base) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
; a comment
[default]
region = eu-central-1
s3 =
    role_arn = arn:not:one
[profile base]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = hunter2 # of base
[profile \"hop\"]
role_arn = arn:aws:iam::1:role/a
source_profile = base
external_id = x
[profile two]
role_arn = arn:aws:iam::2:role/b
source_profile = hop
[profile self]
role_arn = arn:aws:iam::1:role/s
source_profile = self
aws_access_key_id = AKIAIOSFODNN7SELF
aws_secret_access_key = hunter2
[profile pod]
role_arn = arn:aws:iam::1:role/p
credential_source = EcsContainer
[profile irsa]
role_arn = arn:aws:iam::1:role/w
web_identity_token_file = /run/token
[profile ring]
role_arn = arn:aws:iam::1:role/r
source_profile = ring-2
[profile ring-2]
role_arn = arn:aws:iam::1:role/r
source_profile = ring
[profile mfa]
role_arn = arn:aws:iam::1:role/m
source_profile = base
mfa_serial = arn:aws:iam::1:mfa/me
[profile lost]
role_arn = arn:aws:iam::1:role/l
source_profile = absent
[profile alone]
role_arn = arn:aws:iam::1:role/l
[profile anywhere]
credential_process = /usr/local/bin/aws_signing_helper credential-process
[profile person]
sso_session = corp
[profile console]
login_session = arn:aws:sts::1:x
[sso-session corp]
aws_access_key_id = AKIAIOSFODNN7OTHER
aws_secret_access_key = hunter2
";

    /// Returns base and roles of the profile `name` in one line, or why there are none.
    fn shown(name: &str) -> String {
        let mut profiles = Profiles::default();
        profiles.add(
            "[both]\naws_access_key_id=AKIAFIRST\naws_secret_access_key=s\n",
            Format::Credentials,
        );
        let both = "[profile both]\naws_access_key_id=AKIASECOND\naws_secret_access_key=t\n";
        profiles.add(&format!("{CONFIG}{both}"), Format::Config);
        let plan = match profiles.plan(name) {
            Ok(Some(plan)) => plan,
            Ok(None) => return "none".to_owned(),
            Err(fault) => return fault,
        };
        let base = match plan.base {
            Base::Key(key) => {
                assert!(!key.secret_access_key.contains('#'));
                key.access_key_id
            }
            Base::WebIdentity { role, file } => format!("{role} by {file}"),
            Base::Environment => "environment".to_owned(),
            Base::Container => "container".to_owned(),
            Base::Instance => "instance".to_owned(),
        };
        let hops = plan.hops.iter().map(|hop| {
            let id = hop.external_id.as_ref().map_or(String::new(), |id| format!(" with {id}"));
            format!(" > {}{id}", hop.arn)
        });
        format!("{base}{}", hops.collect::<String>())
    }

    #[test]
    fn profile_leads_to_its_first_credentials_and_its_roles() {
        let table = [
            ("default", "none"),
            ("absent", "none"),
            ("corp", "none"),
            ("base", "AKIAIOSFODNN7EXAMPLE"),
            ("both", "AKIAFIRST"),
            ("hop", "AKIAIOSFODNN7EXAMPLE > arn:aws:iam::1:role/a with x"),
            ("two", "AKIAIOSFODNN7EXAMPLE > arn:aws:iam::1:role/a with x > arn:aws:iam::2:role/b"),
            ("self", "AKIAIOSFODNN7SELF > arn:aws:iam::1:role/s"),
            ("pod", "container > arn:aws:iam::1:role/p"),
            ("irsa", "arn:aws:iam::1:role/w by /run/token"),
        ];
        for (name, expected) in table {
            assert_eq!(shown(name), expected, "{name}");
        }
    }

    #[test]
    fn profile_that_needs_a_program_or_a_person_is_refused_by_name() {
        let table = [
            ("ring", "profile [ring] has no credentials in it"),
            ("mfa", "`mfa_serial`"),
            ("lost", "profile [absent], which is a `source_profile`, is missing"),
            ("alone", "profile [alone] has a `role_arn` without"),
            ("anywhere", "has a `credential_process`, and this daemon runs no programs"),
            ("person", "IAM Identity Center"),
            ("console", "`login_session`"),
        ];
        for (name, expected) in table {
            let found = shown(name);
            assert!(found.contains(expected), "{name}: {found}");
        }
    }
}
