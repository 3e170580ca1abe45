//! Message formats of receivers.
//!
//! A message is rendered from the stored event at every attempt, so that a changed `format` applies to
//! pending deliveries too.

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

use crate::domain::{Event, EventType, Secret};

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

/// Format of a receiver's messages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase", const_into_str)]
pub(crate) enum Format {
    /// Standard Webhooks 1.0: the event itself, signed.
    #[default]
    Standard,
    /// `CloudEvents` 1.0, structured JSON, signed like `standard`.
    CloudEvents,
    /// The event under the original product's name of a failure, signed like `standard`.
    Native,
    /// Message of a Slack incoming webhook.
    Slack,
    /// Adaptive Card that a Microsoft Teams workflow posts.
    Teams,
    /// `PagerDuty` Events API v2: trigger and resolve.
    PagerDuty,
    /// Alertmanager's API v2: firing and resolved.
    Alertmanager,
}

/// Message that is ready to be sent.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Rendered {
    /// Value of the header `content-type`.
    pub(crate) content_type: &'static str,
    /// Body of the request.
    pub(crate) body: String,
}

impl Format {
    /// Every format, in the order of the documentation.
    pub(crate) const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Returns the name in the configuration.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// True when messages are signed, and therefore need a secret.
    pub(crate) const fn is_signed(self) -> bool {
        match self {
            Self::Standard | Self::CloudEvents | Self::Native => true,
            Self::Slack | Self::Teams | Self::PagerDuty | Self::Alertmanager => false,
        }
    }

    /// True when the format can express `kind`: those that know only alarms cannot express the rest.
    pub(crate) const fn takes(self, kind: EventType) -> bool {
        match self {
            Self::Standard | Self::CloudEvents | Self::Slack | Self::Teams => true,
            Self::Native => match kind {
                EventType::ValidationFailed => true,
                EventType::ValidationRecovered
                | EventType::ValidationReminder
                | EventType::ConfigurationApplied
                | EventType::StatusChanged
                | EventType::ValidationWarning
                | EventType::FlappingStarted
                | EventType::FlappingEnded
                | EventType::Outage
                | EventType::OutageResolved
                | EventType::DaemonDegraded
                | EventType::DaemonRecovered
                | EventType::ReceiverDisabled
                | EventType::WebhookPing => false,
            },
            Self::PagerDuty | Self::Alertmanager => match kind {
                EventType::ValidationFailed
                | EventType::ValidationRecovered
                | EventType::ValidationReminder
                | EventType::FlappingStarted
                | EventType::FlappingEnded
                | EventType::Outage
                | EventType::OutageResolved
                | EventType::DaemonDegraded
                | EventType::DaemonRecovered => true,
                EventType::StatusChanged
                | EventType::ConfigurationApplied
                | EventType::ValidationWarning
                | EventType::ReceiverDisabled
                | EventType::WebhookPing => false,
            },
        }
    }

    /// Renders the stored event `id`; `key` is `PagerDuty`'s routing key.
    ///
    /// # Errors
    ///
    /// Fails when `body` is no stored event, or when the format cannot express it.
    pub(crate) fn render(
        self,
        id: &str,
        body: &str,
        key: Option<&Secret>,
    ) -> Result<Rendered, FormatError> {
        let json = "application/json";
        let event = || serde_json::from_str::<Event>(body).map_err(FormatError::Event);
        match self {
            Self::Standard => Ok(Rendered { content_type: json, body: body.to_owned() }),
            Self::CloudEvents => {
                let content_type = "application/cloudevents+json; charset=utf-8";
                written(content_type, &cloudevents::event(id, &event()?, data(body)?))
            }
            Self::Native => {
                let event = event()?;
                if !self.takes(event.kind) {
                    return Err(self.not_expressible(&event));
                }
                written(json, &native::event(&event, data(body)?))
            }
            Self::Slack => written(json, &slack::message(&event()?)),
            Self::Teams => written(json, &teams::message(&event()?)),
            Self::PagerDuty => {
                let event = event()?;
                let message =
                    pagerduty::event(&event, key).ok_or_else(|| self.not_expressible(&event))?;
                written(json, &message)
            }
            Self::Alertmanager => {
                let event = event()?;
                let alert =
                    alertmanager::alert(&event).ok_or_else(|| self.not_expressible(&event))?;
                written(json, &[alert])
            }
        }
    }

    const fn not_expressible(self, event: &Event) -> FormatError {
        FormatError::NotExpressible { format: self.as_str(), kind: event.kind.as_str() }
    }
}

/// Returns the payload of a stored event to the letter, so that an event stored by an older version
/// is sent as it was then.
fn data(body: &str) -> Result<&RawValue, FormatError> {
    #[derive(Deserialize)]
    struct Stored<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let Stored { data } = serde_json::from_str(body).map_err(FormatError::Event)?;
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

    use crate::domain::samples;

    #[test]
    fn every_event_is_rendered_as_recorded_in_every_format() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let key = Secret::new("routing-key".to_owned());
        let mut wrong = Vec::new();
        for (name, event) in samples() {
            let kind: Json = serde_json::from_str(&event).unwrap();
            let kind: EventType = kind["type"].as_str().unwrap().parse().unwrap();
            for &format in Format::ALL {
                let place = format!("{name}/{}.json", format.as_str());
                let found = format.render("evt_0192", &event, Some(&key));
                assert_eq!(found.is_ok(), format.takes(kind), "{place}");
                let Ok(found) = found else { continue };
                let found: Json = serde_json::from_str(&found.body).unwrap();
                if format == Format::Standard {
                    assert_eq!(found, serde_json::from_str::<Json>(&event).unwrap());
                    continue;
                }
                let golden = dir.join("src/webhook/format/golden").join(&place);
                let golden = std::fs::read_to_string(golden).unwrap_or_else(|_| "0".to_owned());
                if found != serde_json::from_str::<Json>(&golden).unwrap() {
                    let target = dir.join("target/golden").join(&place);
                    std::fs::create_dir_all(target.parent().unwrap()).unwrap();
                    std::fs::write(&target, format!("{found:#}\n")).unwrap();
                    wrong.push(place);
                }
            }
        }
        assert_eq!(wrong, [""; 0], "differ; what was found is in target/golden");
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
                let Ok(found) = format.render("evt_0192", &json.to_string(), None) else {
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
            let found = format.render("evt_1", "{}", None);
            assert_eq!(found.is_ok(), format == Format::Standard, "{format:?}");
        }
    }
}
