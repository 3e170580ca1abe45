//! Formats of receivers, and which events each can express.
//!
//! The bodies are made in `webhook`; decisions need to know only what a format can say.

use super::EventType;
use crate::domain::UnknownName;

/// Format of a receiver's messages.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Eq,
    PartialEq,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantArray,
)]
#[strum(serialize_all = "lowercase", const_into_str, parse_err_ty = UnknownName, parse_err_fn = UnknownName::of)]
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
}
