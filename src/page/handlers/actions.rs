//! Actions of the page: forms that are posted, carried out as the commands carry them out, and answered with the
//! page before (post, redirect, get). A word of the address says what came of them.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::domain::{DeliveryId, IntegrationId, Selection, one_line};
use crate::page::address::Pairs;
use crate::page::lists::selection;
use crate::page::spans;
use crate::page::viewer::Access;
use crate::page::visit::{Refused, Shown, Visit};
use crate::store::{Control, NewSilence, Redelivered, Requested, SilenceRow};
use crate::view::{SilenceState, open_silences};

/// Length limit of a comment, in characters.
const COMMENT_MAX: usize = 300;
/// Pages that a form may lead back to.
const BACK: [&str; 4] = ["/i/", "/receivers/", "/deliveries", "/silences"];

/// Carries out an action of a form.
pub(crate) async fn act(Path(action): Path<String>, visit: Visit, body: Bytes) -> Shown {
    visit.require(Access::Act)?;
    let form = Form::read(&body);
    let done = match action.as_str() {
        "validate" => validate(&visit, &form).await?,
        "acknowledge" => acknowledge(&visit, &form).await?,
        "silence" => silence(&visit, &form).await?,
        "end-silence" => end_silence(&visit, &form).await?,
        "enable" | "disable" => receiver(&visit, &form, action == "enable").await?,
        "redeliver" => redeliver(&visit, &form).await?,
        _ => return Err(visit.missing("There is no such action.")),
    };
    tracing::info!(by = visit.caller.by, "{action} from the page: {done}");
    Ok(see_other(&form.back(done)))
}

/// Fields of a form.
struct Form(Pairs);

impl Form {
    fn read(body: &[u8]) -> Self {
        Self(Pairs::of_form(&String::from_utf8_lossy(body)))
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_default()
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.text(name).parse().ok()
    }

    /// Returns the address to lead back to, with the word of what was done; never one of another site.
    fn back(&self, done: &str) -> String {
        let back = self.text("back");
        let is_known = BACK.iter().any(|start| back.starts_with(start));
        let is_plain =
            !back.contains(|char: char| char.is_control() || char == '\\' || !char.is_ascii());
        let back = if is_known && is_plain { back } else { "/" };
        let (path, query) = back.split_once('?').unwrap_or((back, ""));
        Pairs::parse(query).with("done", done).at(path)
    }
}

/// Leads the browser to a page, by a request without the form.
fn see_other(address: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(address) = HeaderValue::from_str(address) {
        response.headers_mut().insert(LOCATION, address);
    }
    response
}

async fn validate(visit: &Visit, form: &Form) -> Result<&'static str, Refused> {
    let row = visit.integration(form.text("integration")).await?;
    let id = row.id;
    let change =
        visit.source.control.change(&visit.caller.by, async move |store: &mut Control, now| {
            store.request(&[id], now).await
        });
    let requested = change.await.map_err(|error| visit.unread(&error))?.pop();
    Ok(match requested {
        Some(Requested::Due) => "validate",
        Some(Requested::AfterRun) => "running",
        Some(Requested::NotValidated(_)) | None => "not-validated",
    })
}

async fn acknowledge(visit: &Visit, form: &Form) -> Result<&'static str, Refused> {
    let row = visit.integration(form.text("integration")).await?;
    if !row.status.is_error() {
        return Ok("not-failing");
    }
    let covered = Selection { integrations: vec![row.name], ..Selection::default() };
    mute(visit, form, Some(row.id), covered).await?;
    Ok("acknowledge")
}

async fn silence(visit: &Visit, form: &Form) -> Result<&'static str, Refused> {
    let name = form.text("integration");
    let mut covered = if name.is_empty() {
        selection(form.text("names"), form.text("type"), form.text("label"))
    } else {
        let row = visit.integration(name).await?;
        Selection { integrations: vec![row.name], ..Selection::default() }
    };
    if covered == Selection::default() {
        return Err(visit.missing("A silence covers something: names, a platform, or a label."));
    }
    // A caller that sees a part mutes a part.
    covered.labels.extend(visit.caller.labels.clone());
    mute(visit, form, None, covered).await?;
    Ok("silence")
}

/// Stores a mute, unless the same one is open.
async fn mute(
    visit: &Visit,
    form: &Form,
    acknowledges: Option<IntegrationId>,
    covered: Selection,
) -> Result<(), Refused> {
    let now = visit.now();
    let until = spans::until(form.text("for"), now, visit.viewer.present.zone.as_ref());
    let until = until.ok_or_else(|| visit.missing("The time of a mute is one of the page's."))?;
    let open = open_silences(visit.view(), now).await.map_err(|error| visit.unread(&error))?;
    let is_same = |one: &SilenceRow| {
        let of = one.acknowledged.as_ref().map(|(id, _)| *id);
        of == acknowledges && one.until == until && (of.is_some() || one.selection == covered)
    };
    if open.iter().any(is_same) {
        return Ok(());
    }
    let author = visit.caller.by.clone();
    let comment = one_line(form.text("comment"), COMMENT_MAX);
    let new = NewSilence { acknowledges, selection: covered, author, comment, from: now, until };
    let change =
        visit.source.control.change(&visit.caller.by, async move |store: &mut Control, now| {
            store.silence(&new, now).await
        });
    change.await.map_err(|error| visit.unread(&error))?;
    Ok(())
}

async fn end_silence(visit: &Visit, form: &Form) -> Result<&'static str, Refused> {
    let missing = || visit.missing("No silence has this number.");
    let id = form.number("silence").ok_or_else(missing)?;
    let row = visit.view().silence(id).await.map_err(|error| visit.unread(&error))?;
    let row = row.ok_or_else(missing)?;
    if visit.viewer.is_limited && !is_own(visit, &row).await? {
        return Err(missing());
    }
    if row.state(visit.now()) == SilenceState::Ended {
        return Ok("ended-already");
    }
    let change =
        visit.source.control.change(&visit.caller.by, async move |store: &mut Control, now| {
            store.end_silence(id, now).await
        });
    let is_ended = change.await.map_err(|error| visit.unread(&error))?;
    Ok(if is_ended { "end-silence" } else { "ended-already" })
}

/// Returns true when a silence covers only integrations that a caller with labels may see.
async fn is_own(visit: &Visit, row: &SilenceRow) -> Result<bool, Refused> {
    let targets = visit.view().all_targets().await.map_err(|error| visit.unread(&error))?;
    Ok(row.is_within(&targets, |one| visit.caller.sees(&one.labels)))
}

async fn receiver(visit: &Visit, form: &Form, enables: bool) -> Result<&'static str, Refused> {
    let missing = || visit.missing("No receiver has this name.");
    if visit.viewer.is_limited {
        return Err(missing());
    }
    let name = form.text("receiver").to_owned();
    let change =
        visit.source.control.change(&visit.caller.by, async move |store: &mut Control, now| {
            let Some(row) = store.receiver(&name).await? else { return Ok(false) };
            match (enables, row.disabled.is_some()) {
                (true, _) => store.enable(&name, now).await?,
                (false, false) => store.disable(&name, now).await?,
                (false, true) => (),
            }
            Ok(true)
        });
    if !change.await.map_err(|error| visit.unread(&error))? {
        return Err(missing());
    }
    Ok(if enables { "enable" } else { "disable" })
}

async fn redeliver(visit: &Visit, form: &Form) -> Result<&'static str, Refused> {
    let missing = || visit.missing("No delivery has this number, or it is not kept.");
    let id = form.number("delivery").map(DeliveryId).ok_or_else(missing)?;
    let row = visit.view().delivery(id).await.map_err(|error| visit.unread(&error))?;
    let row = row.ok_or_else(missing)?;
    if let Some(seen) = visit.seen().await?
        && !row.integration.is_some_and(|name| seen.contains_key(&name))
    {
        return Err(missing());
    }
    let change =
        visit.source.control.change(&visit.caller.by, async move |store: &mut Control, now| {
            store.redeliver(&[id], now).await
        });
    Ok(match change.await.map_err(|error| visit.unread(&error))? {
        Redelivered::Queued(_) => "redeliver",
        Redelivered::Unknown(_) => "gone",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_leads_back_to_a_page_of_this_site_only() {
        let table = [
            ("/i/lake", "/i/lake?done=validate"),
            ("/i/a%2Fb?theme=dark", "/i/a%2Fb?theme=dark&done=validate"),
            ("/deliveries?state=failed&done=x", "/deliveries?state=failed&done=validate"),
            ("/receivers/on-call", "/receivers/on-call?done=validate"),
            ("//evil.example/i/", "/?done=validate"),
            ("https://evil.example/", "/?done=validate"),
            ("/i/\r\nset-cookie: a=b", "/?done=validate"),
            ("/i/\\..\\evil", "/?done=validate"),
            ("", "/?done=validate"),
        ];
        for (back, expected) in table {
            let body = Pairs::default().with("back", back).at("");
            let form = Form::read(body.trim_start_matches('?').as_bytes());
            assert_eq!(form.back("validate"), expected, "{back:?}");
        }
    }

    #[test]
    fn browser_is_led_on_without_the_form() {
        let response = see_other("/i/lake?done=validate");
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[LOCATION], "/i/lake?done=validate");
    }
}
