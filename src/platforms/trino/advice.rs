//! Remedies: for each named cause the setting, rule or grant that fixes it.
//!
//! `docs/platforms/trino.md` lists them with their sources.

use super::Trino;
use super::classify::{Failure, Kind, Offers};
use super::codes::Remedy;
use super::credentials::Credentials;
use super::permission::permission;
use super::reply::UNKNOWN_PROXY;
use crate::domain::{Class, Finding};

impl Trino {
    /// Adds the remedy of `failure`, where `finding` has none yet.
    pub(super) fn advised(&self, failure: &Failure, finding: Finding) -> Finding {
        self.advised_for(&self.user(), failure, finding)
    }

    /// Adds the remedy of a failure of `user`, as rules and grants name it.
    pub(super) fn advised_for(&self, user: &str, failure: &Failure, finding: Finding) -> Finding {
        if finding.remediation.is_some() {
            return finding;
        }
        match self.remedy(failure, user) {
            Some(remedy) => finding.fix(remedy),
            None => finding,
        }
    }

    fn remedy(&self, failure: &Failure, user: &str) -> Option<String> {
        let place = &self.config.authority;
        let remedy = match failure.cause.kind {
            Kind::Refused(offers) => self.of_refusal(failure, offers),
            Kind::Certificate => certificate(failure.class).to_owned(),
            Kind::Proxy => "Correct `proxy.username` and `proxy.password`.".to_owned(),
            Kind::Forgotten => "The coordinator was restarted, or a gateway asked another cluster \
                for the page. Let gateways keep a query at its cluster: all replicas of \
                trino-gateway need the same database, load balancers need sticky sessions."
                .to_owned(),
            Kind::Unexpected => format!(
                "Something before Trino answered, or another server: correct `host`, `port` or the \
                 path in `endpoint`, and look at the route of the ingress, gateway or proxy from \
                 [{place}] to the coordinator."
            ),
            Kind::Redirected => {
                "Set `host`, `port` or `endpoint` to where clients are sent. Where \
                that is a login page, let this machine pass the proxy before the coordinator \
                without a sign-in at a browser."
                    .to_owned()
            }
            Kind::Forwarded => format!("Connect over HTTPS. {UNKNOWN_PROXY}"),
            Kind::Answered => answered(failure).to_owned(),
            Kind::Query { remedy, .. } => of_query(remedy, failure, user),
            Kind::NextPage(remedy) => remedy.to_owned(),
            Kind::Waiting => format!(
                "Queries wait. Look at the workers (SELECT * FROM system.runtime.nodes; \
                 query-manager.required-workers), and at the resource group of {user} \
                 (hardConcurrencyLimit, softMemoryLimit): system.runtime.queries shows what is in \
                 the queue before it."
            ),
            Kind::Token => token_endpoint(failure.class).to_owned(),
            Kind::Secret if failure.class == Class::Local => return None,
            Kind::Secret => "Give the account a password whose characters are all in ISO-8859-1, \
                which is how Trino and its clients write passwords; or use `jwt` or `certificate`."
                .to_owned(),
            // The host and the way to it are right.
            Kind::Silence if failure.cause.is_taken && !failure.class.is_definitive() => {
                "The log-in passed, and then no answer came: look whether the coordinator is \
                 overloaded or restarts (its log), and whether a gateway, proxy or firewall before \
                 it cuts connections."
                    .to_owned()
            }
            Kind::Silence => return silence(failure.class, place),
        };
        Some(remedy)
    }

    /// Returns the system account as rules and grants name it.
    fn user(&self) -> String {
        let name = self.config.credentials.username().or(self.config.expected_user.as_deref());
        name.map_or_else(|| "the system account".to_owned(), |name| format!("user {name}"))
    }

    /// Returns the remedy for credentials that were refused.
    fn of_refusal(&self, failure: &Failure, offers: Offers) -> String {
        let words = failure.detail.to_lowercase();
        let has = |text: &str| words.contains(text);
        if has("user mapping") {
            return "Correct http-server.authentication.*.user-mapping.pattern or .file at the \
                coordinator, or use an account that it maps."
                .to_owned();
        }
        let credentials = &self.config.credentials;
        let is_only = |one: Offers| !offers.is_empty() && offers == one;
        if is_only(Offers::BROWSER) && !credentials.is_token() {
            return "The cluster asks for an OAuth 2.0 sign-in at a browser. Use `jwt` or \
                `oAuthClientCredentials` with an access token of its issuer, or give the system \
                account a password, a token or a certificate that the cluster accepts beside it \
                (http-server.authentication.type)."
                .to_owned();
        }
        if is_only(Offers::TICKET) {
            return "The cluster takes Kerberos tickets only, which are not supported here: let it \
                take PASSWORD, JWT or CERTIFICATE beside KERBEROS \
                (http-server.authentication.type)."
                .to_owned();
        }
        let names = offers.names();
        match credentials {
            Credentials::Password { .. } if has("password is empty") => {
                "`password` is empty: put the account's password where it points to.".to_owned()
            }
            Credentials::Password { .. } if !offers.is_empty() && !offers.has(Offers::PASSWORD) => {
                format!(
                    "The cluster takes no passwords here but {names}: set `authenticationType` to \
                     match, or add PASSWORD to http-server.authentication.type."
                )
            }
            Credentials::Password { username, .. } => {
                format!("Correct `username` [{username}] or `password`, or unlock the account.")
            }
            Credentials::Token { .. } => token(&words, "`token`"),
            Credentials::OAuth(_) => token(&words, "`oAuthClientConfig`"),
            Credentials::Certificate { .. } => "Renew `tls.certificate`: its authority must be in \
                the cluster's trust store (http-server.https.truststore.path), and CERTIFICATE \
                among http-server.authentication.type."
                .to_owned(),
            Credentials::Open { username } => {
                let takes = if names.is_empty() { "what the cluster asks for" } else { &names };
                format!(
                    "Let [{username}] in without a password, or set `authenticationType` to \
                     {takes}."
                )
            }
        }
    }
}

/// Returns the remedy for a certificate that was refused during the handshake.
const fn certificate(class: Class) -> &'static str {
    if matches!(class, Class::Expired) {
        return "Renew `tls.certificate`, which has ended.";
    }
    "Use a `tls.certificate` whose authority is in the cluster's trust store \
        (http-server.https.truststore.path), and which is for clients and still valid."
}

/// Returns the remedy for a token, by the words of its refusal.
fn token(words: &str, key: &str) -> String {
    let has = |text: &str| words.contains(text);
    if has("expired") {
        return format!("Renew {key}: the token has ended.");
    }
    if has("audience") || has("aud claim") {
        return format!(
            "Get {key} for the audience that the message names \
             (http-server.authentication.jwt.required-audience)."
        );
    }
    if has("iss claim") || has("issuer") {
        return format!(
            "Get {key} of the issuer that the message names \
             (http-server.authentication.jwt.required-issuer)."
        );
    }
    if has("signature") {
        return format!(
            "Get {key} of the issuer whose key the cluster has, or correct \
             http-server.authentication.jwt.key-file."
        );
    }
    if has("compact jwt") {
        return format!(
            "{key} is no JSON web token: use one, or let the cluster take access tokens of its \
             issuer (OAUTH2 in http-server.authentication.type)."
        );
    }
    format!(
        "Renew {key}: issuer, audience and end must be as http-server.authentication.jwt.* or \
         http-server.authentication.oauth2.* ask for."
    )
}

/// Returns the remedy for an answer of a token endpoint.
const fn token_endpoint(class: Class) -> &'static str {
    match class {
        Class::Denied | Class::Expired | Class::Missing => {
            "Correct `clientId` and `clientSecret` in `oAuthClientConfig`, or renew the secret at \
             the identity provider."
        }
        Class::Invalid => {
            "Correct `authorityUrl`, `scope` and `resource` in `oAuthClientConfig` as the message \
             says."
        }
        Class::Unreachable | Class::Throttled | Class::Unavailable | Class::Local => {
            "Look whether this machine reaches `authorityUrl`, perhaps through `proxy`, and at the \
             state of the identity provider."
        }
    }
}

/// Returns the remedy for an answer whose status says that Trino cannot serve.
fn answered(failure: &Failure) -> &'static str {
    let words = failure.detail.to_lowercase();
    let has = |text: &str| words.contains(text);
    if has("authentication error") {
        return "The coordinator cannot check passwords: look into its log, and at the password \
            file or LDAP server in etc/password-authenticator.properties.";
    }
    if has("authenticators were not loaded") {
        return "Wait: the coordinator is starting. If it stays, look into its log.";
    }
    match failure.class {
        Class::Invalid => "Correct `role`, `roles`, `clientTags` or `headers`.",
        Class::Throttled => {
            "Let the gateway or proxy before the coordinator allow more requests of this machine, \
             or make `schedule` slower."
        }
        Class::Denied
        | Class::Missing
        | Class::Expired
        | Class::Unreachable
        | Class::Unavailable
        | Class::Local => {
            "Look whether the coordinator runs and has memory left (its log, GET /v1/info), and \
             whether the gateway or load balancer before it has a healthy cluster."
        }
    }
}

/// Returns the remedy for a query that failed.
fn of_query(remedy: Remedy, failure: &Failure, user: &str) -> String {
    let text = match remedy {
        Remedy::Permission => return permission(&failure.detail, user),
        Remedy::Group => return no_group(user),
        Remedy::Queue => return full_queue(user),
        Remedy::Limit => return limited(user),
        Remedy::Catalog => {
            "Look for the catalog's connector in the coordinator's log, correct its properties \
             (etc/catalog), and restart the coordinator, or drop and create the catalog."
        }
        Remedy::Configuration => {
            "Look into the coordinator's log, and correct the configuration that the message names."
        }
        Remedy::External => {
            "Look at what the connector reads from: its database, object store or metastore, and \
             the connector's own user in the properties of the catalog."
        }
        Remedy::Filter => {
            "Correct the row filter or column mask that the message names, in the rules of the \
             access control."
        }
        Remedy::Killed => {
            "Look who or what ended the query: an administrator (system.runtime.kill_query), a \
             policy for low memory, or query.client.timeout."
        }
        Remedy::Log => {
            "Look for the query in the web interface and the log of the coordinator; a broken file \
             of its access control is named there too."
        }
        Remedy::Name => {
            "Correct the name in the configuration, or make the object visible to the system \
             account."
        }
        Remedy::Role => "Correct `role` or `roles`; SHOW ROLES lists those that exist.",
        Remedy::Session => {
            "Correct the session property that the message names: in `headers`, or in the \
             cluster's defaults (etc/session-property-config.properties)."
        }
        Remedy::Statement => {
            "Look for a gateway or proxy that rewrites statements: every cluster from the minimum \
             version on understands this one."
        }
        Remedy::View => {
            "Recreate the view that the message names, or choose another \
             `accessControlProbe.table`: what it stands on has changed."
        }
        Remedy::Wait => {
            "Wait: the coordinator starts or stops, or the failure passes by itself. If it stays, \
             look into the coordinator's log."
        }
        Remedy::Workers => {
            "Look at the workers (SELECT * FROM system.runtime.nodes): start those that are \
             missing, and let coordinator and workers reach each other (discovery.uri, \
             node.internal-address)."
        }
    };
    text.to_owned()
}

/// Returns the remedy for a query that no resource group takes.
fn no_group(user: &str) -> String {
    format!(
        "Add a selector that takes {user} and the source revalidated to the resource \
         groups (etc/resource-groups.json, or the table selectors)."
    )
}

/// Returns the remedy for a resource group without room.
fn full_queue(user: &str) -> String {
    format!(
        "Raise maxQueued or hardConcurrencyLimit of the resource group that the message \
         names, or give {user} a group of its own."
    )
}

/// Returns the remedy for a query beyond a limit.
fn limited(user: &str) -> String {
    format!(
        "Raise the limit that the message names (query.max-*, or the session properties \
         of {user}), or let the cluster run less at once."
    )
}

/// Returns the remedy for an exchange without an answer.
fn silence(class: Class, place: &str) -> Option<String> {
    let remedy = match class {
        Class::Invalid => {
            "Give the certificate's authority in `tls.caFile`, or its name in `tls.serverName`."
        }
        Class::Expired => "Renew the server's certificate.",
        Class::Unreachable | Class::Throttled | Class::Unavailable => {
            return Some(format!(
                "Correct `host` and `port`, and let firewalls, routes and `proxy` pass this machine \
                 to [{place}]; look whether the coordinator runs."
            ));
        }
        Class::Denied | Class::Missing => "Correct `proxy`.",
        Class::Local => return None,
    };
    Some(remedy.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_remedy_follows_the_words() {
        let table = [
            ("jwt expired at 2026-11-28t19:27:05.000z", "has ended"),
            ("invalid audience: [other]. allowed audiences: trino", "required-audience"),
            ("expected iss claim to be: a, but was: b", "required-issuer"),
            ("jwt signature does not match locally computed signature", "key-file"),
            ("invalid compact jwt string", "no JSON web token"),
            ("invalid credentials", "Renew `token`"),
        ];
        for (words, expected) in table {
            assert!(token(words, "`token`").contains(expected), "{words}");
        }
    }
}
