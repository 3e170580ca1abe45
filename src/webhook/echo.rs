//! Receivers that echo what they were sent: no format shows a secret, in whatever spelling.

use serde_json::{Value as Json, json};

use super::testing::{Scripted, http, receiver};
use super::{Message, Sender};
use crate::domain::echo::{assert_hidden, echoes};
use crate::domain::{EventType, Format, REDACTED, Timestamp, sample};

const SIGNING: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ROUTING: &str = "R0ut1ngKey0123456789abcdef012345";
const SEGMENT: &str = "Zx81QpLm0s9dKe73HtWbYc";
const VALUE: &str = "s1gnature/of+a=workflow0";

/// The table of a receiver of `format` that has every secret it can have.
fn changes(format: Format) -> Json {
    let mut changes = json!({ "format": format.as_str() });
    if format.is_signed() {
        changes["secrets"] = json!([format!("whsec_{SIGNING}")]);
    } else {
        changes["secrets"] = Json::Null;
    }
    if format == Format::PagerDuty {
        changes["routing_key"] = ROUTING.into();
    }
    changes
}

/// Returns the stored part of `answer` from a receiver of `format` whose URL has secrets too.
async fn kept(format: Format, answer: &str) -> String {
    let body = sample(EventType::ValidationFailed);
    let scripted = Scripted::start(http("404 Not Found", "", answer)).await;
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("sig", VALUE).finish();
    let url = format!("http://{}/services/T000/{SEGMENT}?{query}", scripted.addr);
    let sender = Sender::new(receiver(&url, changes(format))).unwrap();
    sender
        .send(
            &Message { id: "evt_1", body, began: None, format: None },
            Timestamp(1_795_381_200_750),
        )
        .await
        .detail
}

#[tokio::test]
async fn echo_of_a_secret_is_not_kept_by_any_format() {
    for &format in Format::ALL {
        let mut secrets = vec![SEGMENT, VALUE];
        secrets.extend(format.is_signed().then_some(SIGNING));
        secrets.extend((format == Format::PagerDuty).then_some(ROUTING));
        for secret in secrets {
            let echoes = echoes(secret);
            let detail = kept(format, &format!("no | {} | here", echoes.join(" | "))).await;
            let place = format!("{} {secret}: {detail}", format.as_str());
            assert_eq!(detail.matches(REDACTED).count(), echoes.len(), "{place}");
            assert!(detail.starts_with("no | ") && detail.ends_with(" | here"), "{place}");
            assert_hidden(&detail, secret, &place);
        }
    }
}

#[tokio::test]
async fn echo_across_the_end_of_what_is_kept_is_not_kept() {
    for secret in [SIGNING, SEGMENT, VALUE] {
        let detail = kept(Format::Standard, &format!("{}{secret}", "x".repeat(1_000))).await;
        assert_eq!(detail, format!("{}{REDACTED}", "x".repeat(1_000)));
    }
}
