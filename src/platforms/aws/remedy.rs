//! Remediation of refusals whose cause AWS names in its answer.
//!
//! The words are those of the IAM user guide ("Troubleshoot access denied error messages", "STS
//! regions and endpoints"), of the account management guide ("Enable or disable AWS Regions") and of
//! the reports that `docs/platforms/s3.md` names line by line.

use super::classify::Refusal;

/// Policies that AWS names in a refusal, and the place where each is changed.
const POLICIES: [(&str, &str); 8] = [
    ("service control policy", "an administrator of the AWS organization changes it"),
    ("resource control policy", "an administrator of the AWS organization changes it"),
    ("permissions boundary", "it is the permissions boundary of the caller, in IAM"),
    ("session policy", "it was given when the session was made"),
    ("VPC endpoint policy", "it is the policy of the VPC endpoint that the request went through"),
    ("role trust policy", "it is the trust policy of the role, in IAM"),
    ("resource-based policy", "it is the policy of the resource itself, such as the bucket policy"),
    ("identity-based policy", "it is attached to the caller or a group of it, in IAM"),
];

/// Regions that an account must enable before it can use them, as the account management guide
/// lists them.
const OPT_IN_REGIONS: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

impl Refusal {
    /// Returns the remediation that follows from AWS's own words, for a request in `region`; none
    /// where they name no cause.
    pub(crate) fn remedy(&self, region: &str) -> Option<String> {
        let text = self.message.as_str();
        let action = between(text, "to perform: ", " ").unwrap_or("the action");
        let resource = between(text, "on resource: ", " ").map(|name| name.trim_matches('"'));
        if let Some(remedy) = session_action(action, resource) {
            return Some(remedy);
        }
        for (policy, place) in POLICIES {
            if text.contains(&format!("explicit deny in a {policy}"))
                || text.contains(&format!("explicit deny in an {policy}"))
            {
                return Some(format!(
                    "The {policy} denies {action}: take the denial away; {place}. No permission \
                     elsewhere overrides it."
                ));
            }
            // The caller's own policy is what the exact grant is for.
            if policy != "identity-based policy" && text.contains(&format!("no {policy} allows")) {
                return Some(format!("Allow {action} in the {policy}; {place}."));
            }
        }
        if text.contains("explicit deny") {
            return Some(format!(
                "A policy denies {action}: take the denial away. No permission elsewhere overrides it."
            ));
        }
        self.of_code(region)
    }

    fn of_code(&self, region: &str) -> Option<String> {
        let Self { name, message, .. } = self;
        let enable = || {
            format!(
                "If the key is right, enable region {region} for its account: aws account \
                 enable-region --region-name {region}"
            )
        };
        match name.as_str() {
            "RegionDisabledException" => Some(format!(
                "Activate STS in region {region}: IAM console, Account settings, Security Token \
                 Service; a region that is off is enabled first: aws account enable-region \
                 --region-name {region}"
            )),
            "OptInRequired" | "NotSignedUp" => Some(enable()),
            "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "UnrecognizedClientException"
            | "AuthFailure"
                if OPT_IN_REGIONS.contains(&region) =>
            {
                Some(enable())
            }
            "InvalidIdentityToken" => Some(identity_provider(message)),
            "ExpiredTokenException" if message.contains("web identity") => Some(
                "Let the token file be renewed: the kubelet does so for a projected token, other \
                 issuers need a timer."
                    .to_owned(),
            ),
            "PackedPolicyTooLarge" => Some(
                "Shorten or drop session tags: they count towards the policy's size.".to_owned(),
            ),
            _ => None,
        }
    }
}

/// Returns the remediation for an action beside `sts:AssumeRole` that sessions bring along.
fn session_action(action: &str, resource: Option<&str>) -> Option<String> {
    let (what, why) = match action {
        "sts:TagSession" => (
            "sts:TagSession",
            " The session has tags, as those of EKS Pod Identity; they can be left out there \
             (`disableSessionTags` of the association).",
        ),
        "sts:SetSourceIdentity" => ("sts:SetSourceIdentity", " The session has a source identity."),
        _ => return None,
    };
    let role = resource.unwrap_or("the role");
    Some(format!(
        "Allow {what} beside sts:AssumeRole: in the trust policy of {role}, and to the caller.{why}"
    ))
}

/// Returns the remediation for a web identity that the account's identity provider does not accept.
fn identity_provider(message: &str) -> String {
    if message.contains("No OpenIDConnect provider found") {
        let url = between(message, "account for ", " ").unwrap_or("<issuer>");
        return format!(
            "Create the identity provider in IAM: aws iam create-open-id-connect-provider --url \
             {url} --client-id-list sts.amazonaws.com"
        );
    }
    if message.contains("audience") {
        return "Add the token's audience to the identity provider: aws iam \
                add-client-id-to-open-id-connect-provider"
            .to_owned();
    }
    if message.contains("thumbprint") {
        return "Renew the certificate's thumbprint: aws iam \
                update-open-id-connect-provider-thumbprint"
            .to_owned();
    }
    "See that the token's issuer publishes its keys, and that AWS reaches it.".to_owned()
}

/// Returns the part of `text` between `start` and the next `end`.
fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let rest = text.split_once(start)?.1;
    let part = rest.split(end).next()?.trim_end_matches(['.', ',']);
    (!part.is_empty()).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedy(name: &str, message: &str, region: &str) -> String {
        let refusal = Refusal {
            status: 403,
            name: name.to_owned(),
            message: message.to_owned(),
            request_id: "r".to_owned(),
            region: None,
        };
        refusal.remedy(region).unwrap_or_default()
    }

    fn assert_remedies(table: &[(&str, String, &str)]) {
        for (name, message, expected) in table {
            let found = remedy(name, message, "eu-south-1");
            assert!(found.starts_with(expected) || found.contains(expected), "{message}: {found}");
            assert_eq!(found.is_empty(), expected.is_empty(), "{message}: {found}");
        }
    }

    #[test]
    fn remedy_follows_the_cause_that_aws_names() {
        let user = "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: ";
        let denied = "s3:ListBucket on resource: \"arn:aws:s3:::lake\"";
        let role = "sts:AssumeRole on resource: arn:aws:iam::2:role/r";
        let table = [
            (
                "AccessDenied",
                format!("{user}{denied} with an explicit deny in a service control policy"),
                "The service control policy denies s3:ListBucket: take the denial away; an \
                 administrator of the AWS organization",
            ),
            (
                "AccessDenied",
                format!("{user}{denied} with an explicit deny in an identity-based policy"),
                "The identity-based policy denies s3:ListBucket",
            ),
            ("AccessDenied", format!("{user}{denied} with an explicit deny"), "A policy denies"),
            (
                "AccessDenied",
                format!(
                    "{user}{denied} because no VPC endpoint policy allows the s3:ListBucket action"
                ),
                "Allow s3:ListBucket in the VPC endpoint policy; it is the policy of the VPC endpoint",
            ),
            (
                "AccessDenied",
                format!("{user}{role} because no session policy allows the sts:AssumeRole action"),
                "Allow sts:AssumeRole in the session policy",
            ),
            (
                "AccessDenied",
                format!("{user}{denied} because no identity-based policy allows the action"),
                "",
            ),
            (
                "AccessDenied",
                format!("{user}sts:TagSession on resource: arn:aws:iam::2:role/r"),
                "Allow sts:TagSession beside sts:AssumeRole: in the trust policy of arn:aws:iam::2:role/r,",
            ),
            ("AccessDenied", "Access Denied".to_owned(), ""),
        ];
        assert_remedies(&table);
    }

    #[test]
    fn remedy_of_a_region_or_identity_follows_the_cause_that_aws_names() {
        assert_remedies(&[
            (
                "RegionDisabledException",
                "STS is not activated in this region for account:1.".to_owned(),
                "Activate STS in region eu-south-1",
            ),
            (
                "InvalidClientTokenId",
                "The security token included in the request is invalid".to_owned(),
                "enable-region --region-name eu-south-1",
            ),
            (
                "InvalidIdentityToken",
                "No OpenIDConnect provider found in your account for https://oidc.eks/id/1"
                    .to_owned(),
                "create-open-id-connect-provider --url https://oidc.eks/id/1 ",
            ),
            ("InvalidIdentityToken", "Incorrect token audience".to_owned(), "add-client-id-to"),
        ]);
        assert_eq!(remedy("InvalidClientTokenId", "The security token", "eu-central-1"), "");
    }

    #[test]
    fn every_kind_of_policy_is_named_with_its_place() {
        let user = "User: arn:aws:iam::1:user/u is not authorized to perform: ";
        for (policy, place) in POLICIES {
            let denied = format!(
                "{user}s3:ListBucket on resource: \"arn:aws:s3:::lake\" with an explicit deny in a \
                 {policy}"
            );
            let found = remedy("AccessDenied", &denied, "eu-central-1");
            let start = format!("The {policy} denies s3:ListBucket: take the denial away; ");
            assert!(found.starts_with(&start) && found.contains(place), "{policy}: {found}");
            let missing = format!(
                "{user}s3:ListBucket on resource: \"arn:aws:s3:::lake\" because no {policy} allows \
                 the s3:ListBucket action"
            );
            let found = remedy("AccessDenied", &missing, "eu-central-1");
            let expected = match policy {
                "identity-based policy" => String::new(),
                _ => format!("Allow s3:ListBucket in the {policy}; {place}."),
            };
            assert_eq!(found, expected, "{policy}");
        }
    }

    #[test]
    fn region_that_must_be_enabled_is_named_with_a_refused_key() {
        let message = "The security token included in the request is invalid";
        for region in OPT_IN_REGIONS {
            for name in ["InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure"] {
                let found = remedy(name, message, region);
                assert!(found.ends_with(&format!("--region-name {region}")), "{region}: {found}");
            }
        }
        for region in ["eu-central-1", "us-east-1", "cn-north-1", "us-gov-west-1"] {
            assert_eq!(remedy("InvalidClientTokenId", message, region), "", "{region}");
            assert!(remedy("OptInRequired", "m", region).contains("enable-region"), "{region}");
        }
    }

    #[test]
    fn identity_provider_is_put_right_by_the_words_of_the_refusal() {
        let table = [
            (
                "No OpenIDConnect provider found in your account for https://a.example.com/id/1",
                "--url https://a.example.com/id/1 --client-id-list sts.amazonaws.com",
            ),
            ("No OpenIDConnect provider found", "--url <issuer> "),
            ("Incorrect token audience", "add-client-id-to-open-id-connect-provider"),
            (
                "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
                "update-open-id-connect-provider-thumbprint",
            ),
            (
                "Couldn't retrieve verification key from your identity provider",
                "See that the token's issuer publishes its keys",
            ),
        ];
        for (message, expected) in table {
            let found = remedy("InvalidIdentityToken", message, "eu-central-1");
            assert!(found.contains(expected), "{message}: {found}");
        }
        let found = remedy(
            "AccessDenied",
            "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: \
             sts:SetSourceIdentity on resource: arn:aws:iam::2:role/r",
            "eu-central-1",
        );
        assert!(found.contains("The session has a source identity."), "{found}");
        let found = remedy("ExpiredTokenException", "Token expired: web identity", "eu-central-1");
        assert!(found.contains("Let the token file be renewed"), "{found}");
        let found = remedy("PackedPolicyTooLarge", "Packed size is 112%", "eu-central-1");
        assert!(found.contains("session tags"), "{found}");
    }
}
