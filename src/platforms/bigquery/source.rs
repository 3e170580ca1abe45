//! Places of a workload's token (`credential_source`): a file, an address, or the identity that AWS
//! gives to a machine.

use std::path::PathBuf;

use http::{HeaderName, HeaderValue};
use reqwest::Url;
use serde::Deserialize;

use crate::domain::Secret;
use crate::platforms::connection::is_loopback;

/// Hosts of metadata services.
const METADATA_HOSTS: [&str; 3] =
    ["169.254.169.254", "[fd00:ec2::254]", "metadata.google.internal"];
/// Part of an address that stands for the region.
pub(super) const REGION: &str = "{region}";

/// Place of a workload's token.
#[derive(Debug)]
pub(super) enum CredentialSource {
    /// Subject token in this file.
    File(PathBuf),
    /// Subject token in the answer of this address to a GET.
    Url {
        /// Address that is requested.
        url: Url,
        /// Further headers of the request; their values may be secret.
        headers: Vec<(HeaderName, Secret)>,
    },
    /// Signed request of AWS, which proves the machine's role there.
    Aws(AwsSource),
}

/// Addresses of the metadata service of AWS, and the request that is signed.
#[derive(Debug)]
pub(super) struct AwsSource {
    /// Address of the availability zone; none where the environment names the region.
    pub(super) region: Option<Url>,
    /// Address below which the roles and their keys are; none where the environment has a key.
    pub(super) credentials: Option<Url>,
    /// Address that issues tokens for the metadata service (`IMDSv2`).
    pub(super) session_token: Option<Url>,
    /// Request of the Security Token Service that Google sends on, with [`REGION`] in it.
    pub(super) verification: String,
}

/// `credential_source` as it is written.
#[derive(Deserialize)]
pub(super) struct SourceFile {
    file: Option<PathBuf>,
    url: Option<String>,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    format: Option<FormatFile>,
    environment_id: Option<String>,
    region_url: Option<String>,
    imdsv2_session_token_url: Option<String>,
    regional_cred_verification_url: Option<String>,
    executable: Option<serde::de::IgnoredAny>,
    certificate: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct FormatFile {
    #[serde(rename = "type", default)]
    kind: String,
    subject_token_field_name: Option<String>,
}

impl SourceFile {
    /// Reads the place, and the field of the JSON document that contains the token; none for plain
    /// text.
    ///
    /// # Errors
    ///
    /// Names what is wrong or not supported, with what to use instead.
    pub(super) fn read(self) -> Result<(CredentialSource, Option<String>), String> {
        if let Some(id) = &self.environment_id {
            if id != "aws1" {
                return Err("`credential_source.environment_id` is none of AWS (aws1)".to_owned());
            }
            return Ok((CredentialSource::Aws(self.aws()?), None));
        }
        if self.executable.is_some() {
            return Err(
                "`credential_source.executable` is not supported, since this daemon runs no \
                programs: let a timer write the token into a file, and use \
                `credential_source.file`"
                    .to_owned(),
            );
        }
        if self.certificate.is_some() {
            return Err(
                "`credential_source.certificate` is not supported: use a provider of OIDC \
                tokens and `credential_source.file`"
                    .to_owned(),
            );
        }
        let field = self.format.map(FormatFile::field).transpose()?.flatten();
        let source = match (self.file, self.url) {
            (Some(path), None) => CredentialSource::File(path),
            (None, Some(url)) => {
                let url = Url::parse(&url).ok().filter(is_source);
                let url = url.ok_or(
                    "`credential_source.url` must begin with https://; plain http is only for this \
                     machine itself and its metadata service",
                )?;
                let headers = self.headers.into_iter().map(|(name, value)| header(name, value));
                let headers = headers.collect::<Option<Vec<_>>>();
                let headers = headers.ok_or("`credential_source.headers` cannot be sent")?;
                CredentialSource::Url { url, headers }
            }
            _ => return Err("`credential_source` must have `file` or `url`".to_owned()),
        };
        Ok((source, field))
    }

    fn aws(&self) -> Result<AwsSource, String> {
        let near = |name: &str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => {
                let url = Url::parse(text).ok().filter(is_near);
                let fault = || {
                    format!(
                        "`credential_source.{name}` must be an address of AWS's metadata service \
                         (169.254.169.254)"
                    )
                };
                url.map(Some).ok_or_else(fault)
            }
        };
        let verification = self.regional_cred_verification_url.clone().filter(|url| is_sts(url));
        Ok(AwsSource {
            region: near("region_url", &self.region_url)?,
            credentials: near("url", &self.url)?,
            session_token: near("imdsv2_session_token_url", &self.imdsv2_session_token_url)?,
            verification: verification.ok_or(
                "`credential_source.regional_cred_verification_url` must be \
                 https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
            )?,
        })
    }
}

impl FormatFile {
    fn field(self) -> Result<Option<String>, String> {
        match (self.kind.as_str(), self.subject_token_field_name) {
            ("json", Some(field)) => Ok(Some(field)),
            ("json", None) => {
                Err("`credential_source.format.subject_token_field_name` is missing".to_owned())
            }
            ("text" | "", _) => Ok(None),
            _ => Err("`credential_source.format.type` is neither text nor json".to_owned()),
        }
    }
}

/// Returns a header that can be sent; none for an invalid name or value.
fn header(name: String, value: String) -> Option<(HeaderName, Secret)> {
    HeaderValue::try_from(&value).ok()?;
    Some((HeaderName::try_from(name).ok()?, Secret::new(value)))
}

/// True for an address that a workload's token may come from.
fn is_source(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https" && !host.is_empty() || url.scheme() == "http" && is_near(url)
}

/// True for a metadata service, or this machine itself.
fn is_near(url: &Url) -> bool {
    is_loopback(url) || METADATA_HOSTS.contains(&url.host_str().unwrap_or_default())
}

/// True for the request of the Security Token Service that names its caller, and no other.
fn is_sts(text: &str) -> bool {
    let Ok(url) = Url::parse(&text.replace(REGION, "region")) else { return false };
    let host = url.host_str().unwrap_or_default();
    let ends = [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu"];
    let pairs: Vec<_> = url.query_pairs().collect();
    url.scheme() == "https"
        && url.path() == "/"
        && (host == "sts.amazonaws.com" || host.starts_with("sts."))
        && ends.iter().any(|end| host.ends_with(end))
        && pairs.iter().any(|(key, value)| key == "Action" && value == "GetCallerIdentity")
        && pairs.iter().all(|(key, _)| key == "Action" || key == "Version")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn read(json: Json) -> Result<CredentialSource, String> {
        serde_json::from_value::<SourceFile>(json).unwrap().read().map(|(source, _)| source)
    }

    fn aws() -> Json {
        json!({
            "environment_id": "aws1",
            "region_url": "http://169.254.169.254/latest/meta-data/placement/availability-zone",
            "url": "http://169.254.169.254/latest/meta-data/iam/security-credentials",
            "imdsv2_session_token_url": "http://169.254.169.254/latest/api/token",
            "regional_cred_verification_url":
                "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
        })
    }

    #[test]
    fn identity_of_aws_is_read_from_its_metadata_service_alone() {
        assert!(matches!(read(aws()), Ok(CredentialSource::Aws(_))));
        let table = [
            ("environment_id", "azure1", "none of AWS"),
            ("url", "https://evil.example.com/", "`credential_source.url` must be an address"),
            ("region_url", "http://10.0.0.7/", "`credential_source.region_url` must be"),
            (
                "regional_cred_verification_url",
                "https://sts.evil.com?Action=GetCallerIdentity",
                "sts.",
            ),
            (
                "regional_cred_verification_url",
                "https://sts.{region}.amazonaws.com?Action=AssumeRole",
                "sts.",
            ),
        ];
        for (key, value, expected) in table {
            let mut changed = aws();
            changed[key] = value.into();
            let fault = read(changed).unwrap_err();
            assert!(fault.contains(expected), "{key}: {fault}");
        }
    }

    #[test]
    fn program_and_certificate_are_refused_by_name() {
        for (source, expected) in [
            (json!({ "executable": { "command": "x" } }), "runs no programs"),
            (json!({ "certificate": { "use_default_certificate_config": true } }), "certificate"),
            (json!({}), "must have `file` or `url`"),
        ] {
            assert!(read(source).unwrap_err().contains(expected), "{expected}");
        }
    }

    fn read_field(json: Json) -> Result<Option<String>, String> {
        serde_json::from_value::<SourceFile>(json).unwrap().read().map(|(_, field)| field)
    }

    #[test]
    fn file_and_address_are_read_with_their_format() {
        let table = [
            (json!({ "file": "/run/token" }), Ok(None)),
            (json!({ "file": "/run/token", "format": { "type": "text" } }), Ok(None)),
            (
                json!({
                    "file": "/run/token",
                    "format": { "type": "json", "subject_token_field_name": "access_token" },
                }),
                Ok(Some("access_token".to_owned())),
            ),
            (
                json!({ "file": "/run/token", "format": { "type": "json" } }),
                Err("`credential_source.format.subject_token_field_name` is missing".to_owned()),
            ),
            (
                json!({ "file": "/run/token", "format": { "type": "xml" } }),
                Err("`credential_source.format.type` is neither text nor json".to_owned()),
            ),
        ];
        for (source, expected) in table {
            assert_eq!(read_field(source.clone()), expected, "{source}");
        }
    }

    #[test]
    fn address_is_encrypted_or_on_this_machine_and_its_link() {
        let table = [
            ("https://issuer.example.com/token", true),
            ("http://169.254.169.254/metadata/identity/oauth2/token?resource=x", true),
            ("http://metadata.google.internal/x", true),
            ("http://localhost:8080/token", true),
            ("http://127.0.0.1:1/token", true),
            ("http://issuer.example.com/token", false),
            ("ftp://issuer.example.com/token", false),
            ("file:///etc/passwd", false),
            ("no address", false),
        ];
        for (url, is_accepted) in table {
            let found = read(json!({ "url": url, "headers": { "Metadata": "True" } }));
            assert_eq!(found.is_ok(), is_accepted, "{url}: {found:?}");
        }
        for headers in [json!({ "a b": "x" }), json!({ "a": "x\ny" })] {
            let fault = read(json!({ "url": "https://a.example.com", "headers": headers }));
            assert_eq!(fault.unwrap_err(), "`credential_source.headers` cannot be sent");
        }
        let both = json!({ "url": "https://a.example.com", "file": "/run/token" });
        assert_eq!(read(both).unwrap_err(), "`credential_source` must have `file` or `url`");
    }

    #[test]
    fn secret_of_a_header_is_not_shown() {
        let url = "https://issuer.example.com/token";
        let found = read(json!({ "url": url, "headers": { "Authorization": "hunter2" } })).unwrap();
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
    }
}
