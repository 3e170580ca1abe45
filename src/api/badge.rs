//! Badges: small pictures of a status for other pages, as SVG and as JSON for shields.

use serde::Serialize;

use super::asked::{Asked, json, unread};
use super::route::Handled;
use crate::domain::Status;
use crate::http::{Answer, Code, Kind, Parameter, Problem};
use crate::store::StatusRow;
use crate::view::Filter;

/// Parameters of the badge of several integrations.
pub(super) const SEVERAL: &[Parameter] = &[
    Parameter::repeated("type", Kind::Text, "Only integrations of one of these platforms."),
    Parameter::repeated("label", Kind::Label, "Only integrations with all of these labels."),
];
/// Content type of SVG.
pub(super) const SVG: &str = "image/svg+xml";
/// Width of a character and of the space around a text, in hundredths of a pixel.
const CHARACTER: usize = 680;
const PADDING: usize = 1000;
/// Characters of a label that are shown.
const LABEL_MAX: usize = 40;

/// Badge as shields.io reads it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Badge {
    schema_version: u8,
    label: String,
    message: String,
    color: &'static str,
}

impl Badge {
    fn of(name: &str, status: Status) -> Self {
        let color = match status {
            Status::Enabled => "#1a7f37",
            Status::Disabled | Status::Deleted | Status::Deleting => "#57606a",
            Status::Creating | Status::Editing | Status::Migrating => "#0969da",
            Status::CreateError
            | Status::DeleteError
            | Status::EditError
            | Status::MigrateError
            | Status::RecurringValidationError => "#cf222e",
        };
        Self::new(name, status.as_str().to_owned(), color)
    }

    fn of_all(rows: &[StatusRow]) -> Self {
        let failing = rows.iter().filter(|row| row.status.is_error()).count();
        match (rows.len(), failing) {
            (0, _) => Self::new("integrations", "none".to_owned(), "#57606a"),
            (all, 0) => Self::new("integrations", format!("none of {all} failing"), "#1a7f37"),
            (all, failing) => {
                Self::new("integrations", format!("{failing} of {all} failing"), "#cf222e")
            }
        }
    }

    fn new(label: &str, message: String, color: &'static str) -> Self {
        let is_shown = |c: &char| !c.is_control();
        let label = label.chars().filter(is_shown).take(LABEL_MAX).collect();
        Self { schema_version: 1, label, message, color }
    }

    fn svg(&self) -> String {
        let width = |text: &str| (text.chars().count() * CHARACTER + PADDING) / 100;
        let (left, right) = (width(&self.label), width(&self.message));
        let (all, label, message) = (left + right, escaped(&self.label), escaped(&self.message));
        let (from, until) = (left / 2, left + right / 2);
        let color = self.color;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" \
             aria-label=\"{label}: {message}\"><title>{label}: {message}</title>\
             <rect width=\"{left}\" height=\"20\" fill=\"#24292f\"/>\
             <rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{color}\"/>\
             <g fill=\"#fff\" text-anchor=\"middle\" font-family=\"Verdana,DejaVu Sans,sans-serif\" \
             font-size=\"11\"><text x=\"{from}\" y=\"14\">{label}</text>\
             <text x=\"{until}\" y=\"14\">{message}</text></g></svg>"
        )
    }
}

/// Returns text for XML: its five special characters replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // XML has no way to write these.
            c if c.is_control() && !matches!(c, '\n' | '\t') => safe.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// Handler of `GET /badge/{file}`: the badge of one integration, `NAME.svg` or `NAME.json`.
pub(super) async fn one(asked: Asked) -> Handled {
    let file = asked.part("file");
    let unknown = || {
        let file = crate::input::quoted(file);
        Problem::new(Code::NotFound, format!("no badge {file}; take NAME.svg or NAME.json"))
    };
    let (name, ending) = file.rsplit_once('.').ok_or_else(unknown)?;
    let found = asked.api.view.integration(name).await.map_err(unread)?;
    let row = found.filter(|row| asked.caller.sees(&row.labels)).ok_or_else(unknown)?;
    match ending {
        "svg" => Ok(Answer::new(SVG, Badge::of(&row.name, row.status).svg()).into()),
        "json" => Ok(json(&Badge::of(&row.name, row.status))?.into()),
        _ => Err(unknown()),
    }
}

/// Handler of `GET /badge.svg`: one badge for all that fit.
pub(super) async fn svg(asked: Asked) -> Handled {
    Ok(Answer::new(SVG, all(&asked).await?.svg()).into())
}

/// Handler of `GET /badge.json`: the same for shields.
pub(super) async fn shield(asked: Asked) -> Handled {
    Ok(json(&all(&asked).await?)?.into())
}

async fn all(asked: &Asked) -> Result<Badge, Problem> {
    let (filter, now) = (Filter::of(&asked.query), asked.now());
    let mut rows = asked.statuses().await?;
    rows.retain(|row| filter.fits(row, now));
    Ok(Badge::of_all(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn badge_shows_name_and_status_escaped() {
        let svg = Badge::of("<a\u{1b}&\"", Status::RecurringValidationError).svg();
        assert!(svg.contains(">&lt;a&amp;&quot;</text>"), "{svg}");
        assert!(
            svg.contains(">recurringValidationError</text>") && svg.contains("#cf222e"),
            "{svg}"
        );
        assert_eq!(escaped("\u{ffff}\u{7}'"), "\u{fffd}\u{fffd}&#39;");
    }

    #[test]
    fn badge_of_several_counts_those_that_fail() {
        let good = StatusRow { status: Status::Enabled, ..samples::status() };
        let table = [
            (vec![], "none"),
            (vec![good.clone(), good.clone()], "none of 2 failing"),
            (vec![good, samples::status()], "1 of 2 failing"),
        ];
        for (rows, expected) in table {
            assert_eq!(Badge::of_all(&rows).message, expected);
        }
    }
}
