//! Message formats of receivers.
//!
//! A message is rendered from the stored event at every attempt, so that a changed `format` applies to
//! pending deliveries too, except to those of an incident whose beginning was sent in another format.

mod alarm;
mod alertmanager;
mod cloudevents;
mod native;
mod pagerduty;
mod slack;
mod teams;
mod text;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::{Event, Format, Secret, Timestamp};

/// Error of an event that cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormatError {
    /// The stored event cannot be read by this version.
    #[error("the stored event cannot be read")]
    Event(#[source] serde_json::Error),
    /// The format cannot express this type of event.
    #[error("format `{format}` cannot express {kind}")]
    NotExpressible {
        /// Name of the format in the configuration.
        format: &'static str,
        /// Type of the event.
        kind: &'static str,
    },
}

/// Message that is ready to be sent.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Rendered {
    /// Value of the header `content-type`.
    pub(crate) content_type: &'static str,
    /// Body of the request.
    pub(crate) body: String,
}

/// Stored event that is to be rendered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored<'a> {
    /// Id of the event.
    pub(crate) id: &'a str,
    /// Body of the event.
    pub(crate) body: &'a str,
    /// Body of the event that began the incident for this receiver, when that was another one: an incident
    /// manager knows the incident under the identity of its beginning.
    pub(crate) began: Option<&'a str>,
    /// Instant of the attempt.
    pub(crate) at: Timestamp,
}

/// Renders a stored event; `key` is `PagerDuty`'s routing key.
///
/// # Errors
///
/// Fails when the body is no stored event, or when the format cannot express it.
pub(crate) fn render(
    format: Format,
    stored: &Stored<'_>,
    key: Option<&Secret>,
) -> Result<Rendered, FormatError> {
    let Stored { id, body, began, at } = *stored;
    let json = "application/json";
    let read = |body: &str| serde_json::from_str::<Event>(body).map_err(FormatError::Event);
    let event = || read(body);
    let not_expressible = |event: &Event| FormatError::NotExpressible {
        format: format.as_str(),
        kind: event.kind.as_str(),
    };
    match format {
        Format::Standard => Ok(Rendered { content_type: json, body: body.to_owned() }),
        Format::CloudEvents => {
            let content_type = "application/cloudevents+json; charset=utf-8";
            written(content_type, &cloudevents::event(id, &event()?, data(body)?))
        }
        Format::Native => {
            let event = event()?;
            if !format.takes(event.kind) {
                return Err(not_expressible(&event));
            }
            written(json, &native::event(&event, data(body)?))
        }
        Format::Slack => written(json, &slack::message(&event()?)),
        Format::Teams => written(json, &teams::message(&event()?)),
        Format::PagerDuty => {
            let event = event()?;
            let began = began.map(read).transpose()?;
            let message = pagerduty::event(&event, began.as_ref().unwrap_or(&event), key)
                .ok_or_else(|| not_expressible(&event))?;
            written(json, &message)
        }
        Format::Alertmanager => {
            let event = event()?;
            let began = began.map(read).transpose()?;
            let alert = alertmanager::alert(&event, began.as_ref().unwrap_or(&event), at)
                .ok_or_else(|| not_expressible(&event))?;
            written(json, &[alert])
        }
    }
}

/// Returns the payload of a stored event to the letter, so that an event stored by an older version
/// is sent as it was then.
fn data(body: &str) -> Result<&RawValue, FormatError> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let Body { data } = serde_json::from_str(body).map_err(FormatError::Event)?;
    Ok(data)
}

fn written(content_type: &'static str, message: &impl Serialize) -> Result<Rendered, FormatError> {
    let body = serde_json::to_string(message).map_err(FormatError::Event)?;
    Ok(Rendered { content_type, body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value as Json;
    use std::path::Path;

    use crate::domain::{EventType, samples};
    use crate::input::fuzz::fuzz_for;

    fn rendered(format: Format, body: &str, key: Option<&Secret>) -> Result<Rendered, FormatError> {
        let at = "2026-11-22T21:00:00Z".parse().unwrap();
        render(format, &Stored { id: "evt_0192", body, began: None, at }, key)
    }

    #[test]
    fn fuzz_stored_events_are_rendered_or_refused_in_every_format() {
        let key = Secret::new("routing-key".to_owned());
        let seeds: Vec<_> = samples().into_iter().map(|(_, body)| body.into_bytes()).collect();
        fuzz_for(500, &seeds, |bytes| {
            let body = String::from_utf8_lossy(bytes);
            for &format in Format::ALL.iter().filter(|format| **format != Format::Standard) {
                if let Ok(rendered) = rendered(format, &body, Some(&key)) {
                    // A number that is out of every range stays as it was stored.
                    assert!(serde_json::from_str::<&RawValue>(&rendered.body).is_ok());
                }
            }
        });
    }

    #[test]
    fn every_event_is_rendered_as_recorded_in_every_format() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let key = Secret::new("routing-key".to_owned());
        let mut wrong = Vec::new();
        for (_, event) in samples() {
            let kind: Json = serde_json::from_str(&event).unwrap();
            let kind: EventType = kind["type"].as_str().unwrap().parse().unwrap();
            for &format in Format::ALL {
                let place = format!("{}/{}.json", kind.as_str(), format.as_str());
                let found = rendered(format, &event, Some(&key));
                assert_eq!(found.is_ok(), format.takes(kind), "{place}");
                let Ok(found) = found else { continue };
                let found: Json = serde_json::from_str(&found.body).unwrap();
                if format == Format::Standard {
                    assert_eq!(found, serde_json::from_str::<Json>(&event).unwrap());
                    continue;
                }
                let golden = dir.join("share/samples").join(&place);
                let golden = std::fs::read_to_string(golden).unwrap_or_else(|_| "0".to_owned());
                if found != serde_json::from_str::<Json>(&golden).unwrap() {
                    let target = dir.join("target/samples").join(&place);
                    std::fs::create_dir_all(target.parent().unwrap()).unwrap();
                    std::fs::write(&target, format!("{found:#}\n")).unwrap();
                    wrong.push(place);
                }
            }
        }
        assert_eq!(wrong, [""; 0], "differ; what was found is in target/samples");
    }

    #[test]
    fn test_is_marked_in_every_format_and_what_has_happened_is_not() {
        let key = Secret::new("routing-key".to_owned());
        for (_, body) in samples() {
            let mut event: Event = serde_json::from_str(&body).unwrap();
            event.is_test = true;
            let marked = serde_json::to_string(&event).unwrap();
            for &format in Format::ALL.iter().filter(|format| format.takes(event.kind)) {
                let place = format!("{} as {}", event.kind.as_str(), format.as_str());
                let found = rendered(format, &marked, Some(&key)).unwrap().body;
                let is_marked = found.contains("[test] ")
                    || found.contains(r#""test":true"#)
                    || found.contains(r#""test":"true""#);
                let ends = format == Format::PagerDuty && found.contains(r#""resolve""#);
                assert!(is_marked || ends, "{place}: {found}");
                let real = rendered(format, &body, Some(&key)).unwrap().body;
                assert!(!real.contains("[test]") && !real.contains(r#""test":true"#), "{place}");
            }
        }
    }

    #[test]
    fn hostile_texts_are_rendered_as_bounded_json() {
        for (name, event) in samples() {
            let hostile = "<!channel> & \"quoted\" **bold** \\ \u{1f4a5}".repeat(100);
            let mut json: Json = serde_json::from_str(&event).unwrap();
            if json["data"]["integrations"].is_array() {
                json["data"]["factor"]["value"] = hostile.clone().into();
                json["data"]["integrations"][0]["name"] = hostile.clone().into();
                let member = json["data"]["integrations"][0].clone();
                json["data"]["integrations"] = vec![member; 500].into();
            } else if json["data"]["integration"].is_null() {
                json["data"]["receiver"] = hostile.clone().into();
                json["data"]["message"] = hostile.clone().into();
            } else {
                json["data"]["integration"]["name"] = hostile.clone().into();
                for change in json["data"]["changes"].as_array_mut().unwrap() {
                    change["message"] = hostile.clone().into();
                    change["remediation"] = hostile.clone().into();
                    change["test"] = hostile.clone().into();
                }
                let change = json["data"]["changes"][0].clone();
                json["data"]["changes"] = vec![change; 50].into();
            }
            for format in [Format::Slack, Format::Teams, Format::PagerDuty] {
                let Ok(found) = rendered(format, &json.to_string(), None) else {
                    continue;
                };
                let bytes = found.body.len();
                assert!(bytes < 28 * 1024, "{name} as {} has {bytes} bytes", format.as_str());
                let mentions = format == Format::Slack && found.body.contains("<!channel>");
                assert!(!mentions, "{name}");
            }
        }
    }

    #[test]
    fn body_that_is_no_event_is_an_error() {
        for &format in Format::ALL {
            let found = rendered(format, "{}", None);
            assert_eq!(found.is_ok(), format == Format::Standard, "{format:?}");
        }
    }
}
