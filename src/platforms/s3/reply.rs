//! Answers of S3, S3 Control and STS, read from the documented bodies.

use crate::domain::FactKind;
use crate::platforms::Seen;
use crate::platforms::aws::client::Client;
use crate::platforms::aws::xml::{Element, ReplyError};

/// Principal that the credentials belong to.
#[derive(Debug)]
pub(super) struct Caller {
    /// Number of the account.
    pub(super) account: String,
    /// The user, role session or root.
    pub(super) arn: String,
    /// The unique id of that.
    pub(super) user_id: String,
}

impl Caller {
    /// Returns it as it may be shown.
    pub(super) fn shown(&self, client: &Client) -> Self {
        let Self { account, arn, user_id } = self;
        let [account, arn, user_id] = [account, arn, user_id].map(|text| client.line(text));
        Self { account, arn, user_id }
    }

    /// Returns who it is as facts, without the name of a role's session: that of an instance or a
    /// container is another one every time. A user or role that was made anew has the same ARN and
    /// another id.
    pub(super) fn facts(&self) -> Seen {
        let arn = match self.arn.rsplit_once('/') {
            Some((role, _session)) if role.contains(":assumed-role/") => role,
            Some(_) | None => &self.arn,
        };
        let id = self.user_id.split_once(':').map_or(self.user_id.as_str(), |(id, _session)| id);
        let mut seen = Seen::of(FactKind::Principal, "", arn);
        seen.fact(FactKind::Principal, "id", id);
        seen
    }
}

/// Reads the body of `GetCallerIdentity`.
pub(super) fn caller(root: &Element) -> Result<Caller, ReplyError> {
    let result = root.expect("GetCallerIdentityResponse")?.child("GetCallerIdentityResult")?;
    Ok(Caller {
        account: result.text("Account")?,
        arn: result.text("Arn")?,
        user_id: result.text("UserId")?,
    })
}

/// Reads the body of `GetAccessGrantsInstance`: the instance's ARN.
pub(super) fn instance(root: &Element) -> Result<String, ReplyError> {
    root.expect("GetAccessGrantsInstanceResult")?.text("AccessGrantsInstanceArn")
}

/// Registered location of Access Grants.
#[derive(Debug)]
pub(super) struct Location {
    /// Id of the location, `default` for all of S3.
    pub(super) id: String,
    /// Scope of the location, such as `s3://bucket/prefix*`.
    pub(super) scope: String,
    /// The role that grants are vended from; some locations have none.
    pub(super) role: Option<String>,
}

impl Location {
    /// Returns it as it may be shown.
    pub(super) fn shown(&self, client: &Client) -> Self {
        let Self { id, scope, role } = self;
        let [id, scope] = [id, scope].map(|text| client.line(text));
        Self { id, scope, role: role.as_ref().map(|role| client.line(role)) }
    }
}

/// Page of registered locations.
#[derive(Debug)]
pub(super) struct Locations {
    /// In the order of the service.
    pub(super) locations: Vec<Location>,
    /// Token of the next page, if there is one.
    pub(super) next: Option<String>,
}

/// Reads the body of `ListAccessGrantsLocations`. Every part of an entry is optional in the service's
/// model: an entry without a scope is left out, and one without an id or a role is still there.
pub(super) fn locations(root: &Element) -> Result<Locations, ReplyError> {
    let root = root.expect("ListAccessGrantsLocationsResult")?;
    let next = root.text("NextToken").ok();
    let Ok(list) = root.child("AccessGrantsLocationsList") else {
        return Ok(Locations { locations: Vec::new(), next });
    };
    let read = |entry: &Element| {
        let id = entry.text("AccessGrantsLocationId").unwrap_or_else(|_absent| "none".to_owned());
        Some(Location {
            id,
            scope: entry.text("LocationScope").ok()?,
            role: entry.text("IAMRoleArn").ok(),
        })
    };
    Ok(Locations { locations: list.children().iter().filter_map(read).collect(), next })
}

/// Reads the body of `ListObjectsV2`: how many keys and prefixes were found, 0 or 1.
pub(super) fn key_count(root: &Element) -> Result<u32, ReplyError> {
    let root = root.expect("ListBucketResult")?;
    let count = root.text("KeyCount")?;
    count.parse().map_err(|_invalid| ReplyError::Part("KeyCount"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platforms::testing::lines_of;

    #[tokio::test]
    async fn a_caller_is_known_whatever_its_session_is_called() {
        let table = [
            ("iam::1:user/team/me", "AIDA1", "iam::1:user/team/me", "AIDA1"),
            (
                "sts::1:assumed-role/reader/i-0a1b",
                "AROA1:i-0a1b",
                "sts::1:assumed-role/reader",
                "AROA1",
            ),
            ("iam::1:root", "1", "iam::1:root", "1"),
        ];
        for (arn, user_id, shown, id) in table {
            let caller = Caller {
                account: "1".to_owned(),
                arn: format!("arn:aws:{arn}"),
                user_id: user_id.to_owned(),
            };
            let expected =
                [format!("principal [] arn:aws:{shown}"), format!("principal [id] {id}")];
            assert_eq!(lines_of(caller.facts()), expected);
        }
    }

    #[test]
    fn a_count_is_a_number() {
        let count = |text: &str| {
            let body = format!("<ListBucketResult><KeyCount>{text}</KeyCount></ListBucketResult>");
            key_count(&Element::parse(body.as_bytes()).unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(count("1"), Ok(1));
        for wrong in ["-1", "many", "4294967296"] {
            assert_eq!(count(wrong).unwrap_err(), "<KeyCount> is missing or wrong");
        }
    }

    #[test]
    fn a_list_without_locations_is_empty() {
        let read = |body: &str| locations(&Element::parse(body.as_bytes()).unwrap());
        let root = "ListAccessGrantsLocationsResult";
        let found = read(&format!("<{root}/>")).unwrap();
        assert!(found.locations.is_empty() && found.next.is_none());
        let found = read(&format!("<{root}><NextToken>n+/=</NextToken></{root}>")).unwrap();
        assert_eq!(found.next.as_deref(), Some("n+/="));
    }

    #[test]
    fn odd_entry_of_a_list_spoils_no_other() {
        let body = "<ListAccessGrantsLocationsResult><AccessGrantsLocationsList>\
             <AccessGrantsLocation/>\
             <AccessGrantsLocation><LocationScope>s3://a/*</LocationScope></AccessGrantsLocation>\
             <AccessGrantsLocation><LocationScope>s3://b/*</LocationScope>\
             <AccessGrantsLocationId>l1</AccessGrantsLocationId><IAMRoleArn>r</IAMRoleArn>\
             </AccessGrantsLocation></AccessGrantsLocationsList></ListAccessGrantsLocationsResult>";
        let found = locations(&Element::parse(body.as_bytes()).unwrap()).unwrap().locations;
        let shown: Vec<_> = found
            .iter()
            .map(|one| (one.id.as_str(), one.scope.as_str(), one.role.as_deref()))
            .collect();
        assert_eq!(shown, [("none", "s3://a/*", None), ("l1", "s3://b/*", Some("r"))]);
    }
}
