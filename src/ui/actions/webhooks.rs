//! Adding, editing, pausing, resuming, testing and deleting webhooks, and the checks of a field while it is typed.

use leptos::prelude::*;
use zeroize::Zeroizing;
#[cfg(feature = "ssr")]
use {
    super::{
        refusal::Reason,
        serve::{back_to, visit},
    },
    crate::{
        delivery::tester::TestError,
        domain::{EndpointUrl, EventType, EventTypes, Field, Webhook, WebhookId, WebhookName},
        store::Held,
        ui::{
            components::{conflict::Conflict, test_report::TestReport},
            layout::fragment::Fragment,
            paths,
            request::{flash::Flash, visit::Visit},
        },
        webhooks::{Draft, WebhookError},
    },
};

use super::{
    outcome::{Advice, Outcome},
    protocol::{Call, Form},
    refusal::Refusal,
};

/// Seconds after which another test is allowed at the latest: there are six a minute.
#[cfg(feature = "ssr")]
const TEST_INTERVAL: u64 = 10;

/// The form of a webhook.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct WebhookForm {
    /// Empty for a webhook that is being added.
    pub id: String,
    /// The version that the form was filled from.
    pub version: Option<i64>,
    pub url: String,
    pub name: String,
    pub secret: Zeroizing<String>,
    pub events: Vec<String>,
    /// After a conflict: the fields for which the value that somebody else saved is kept.
    pub keep_saved: Vec<String>,
    /// What happens to held deliveries when it is resumed: `send` or `drop`.
    pub held: String,
    /// For how many hours the previous secret signs too after a rotation.
    pub overlap: String,
    /// The page to go back to.
    pub back: String,
    /// Which button was pressed, in a form without JavaScript.
    #[cfg_attr(feature = "ssr", serde(rename = "do"))]
    pub button: String,
}

/// Names a webhook.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct WebhookRef {
    pub id: String,
    /// The page to go back to.
    pub back: String,
}

/// An event type to test with.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct TestForm {
    pub id: String,
    pub r#type: String,
}

/// The value of one field.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct Typed {
    pub value: String,
}

/// Adds a webhook.
#[server(prefix = "/integrations/webhook/actions", endpoint = "add", protocol = Call, input_derive = (Clone,))]
pub async fn add_webhook(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let visit = visit();
    let (webhook, _) = visit.ui.webhooks.add(&visit.actor(), &form.value.draft()).await?;
    // Without the filters of the list: the new row is the first of the whole list.
    Ok(visit.done(Flash::done(&webhook, "added"), paths::LIST).await)
}

/// Saves the settings of a webhook, and a new secret if one was typed.
#[server(prefix = "/integrations/webhook/actions", endpoint = "edit", protocol = Call, input_derive = (Clone,))]
pub async fn edit_webhook(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let (visit, form) = (visit(), form.value);
    let id = form.id()?;
    let mut draft = form.draft();
    if !form.keep_saved.is_empty() {
        draft.keep_saved(&form.keep_saved, &visit.webhook(&id).await?);
    }
    match visit
        .ui
        .webhooks
        .edit(&visit.actor(), &id, &draft, form.version)
        .await
    {
        Ok(webhook) => Ok(visit.done(Flash::done(&webhook, "saved"), &form.back()).await),
        Err(WebhookError::Stale(saved)) => Err(Refusal::stale(&visit, *saved, draft)),
        Err(error) => Err(error.into()),
    }
}

/// Deletes a webhook: when this returns, no request to its URL is under way, and none will start.
#[server(prefix = "/integrations/webhook/actions", endpoint = "delete", protocol = Call, input_derive = (Clone,))]
pub async fn delete_webhook(webhook: Form<WebhookRef>) -> Result<Outcome, Refusal> {
    let (visit, WebhookRef { id, back }) = (visit(), webhook.value);
    let deleted = visit
        .ui
        .webhooks
        .delete(&visit.actor(), &webhook_id(&id)?, None)
        .await?;
    let flash = Flash::plain(format!("Webhook “{}” deleted.", deleted.name));
    Ok(visit.done(flash, &back_to(&back, paths::LIST)).await)
}

/// Holds the deliveries of a webhook until it is resumed.
#[server(prefix = "/integrations/webhook/actions", endpoint = "pause", protocol = Call, input_derive = (Clone,))]
pub async fn pause_webhook(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let (visit, form) = (visit(), form.value);
    let before = visit.webhook(&form.id()?).await?;
    let after = visit.ui.webhooks.pause(&visit.actor(), &before.id).await?;
    Ok(form.after(&visit, &before, &after, "paused").await)
}

/// Sends again, and what was held if that is wanted.
#[server(prefix = "/integrations/webhook/actions", endpoint = "resume", protocol = Call, input_derive = (Clone,))]
pub async fn resume_webhook(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let (visit, form) = (visit(), form.value);
    let before = visit.webhook(&form.id()?).await?;
    let held = if form.held == "drop" {
        Held::Drop
    } else {
        Held::Send
    };
    let after = visit.ui.webhooks.resume(&visit.actor(), &before.id, held).await?;
    Ok(form.after(&visit, &before, &after, "resumed").await)
}

/// Sends one example event to a webhook at once, and shows what came of it.
#[server(prefix = "/integrations/webhook/actions", endpoint = "test", protocol = Call, input_derive = (Clone,))]
pub async fn send_test(form: Form<TestForm>) -> Result<Outcome, Refusal> {
    let (visit, form) = (visit(), form.value);
    let id = webhook_id(&form.id)?;
    let event_type = form.r#type.parse().unwrap_or(EventType::Chat);
    let test = visit.ui.webhooks.test(&visit.actor(), &id, event_type).await;
    let test = test.map_err(|error| match error {
        TestError::TooMany => Refusal {
            retry_after: Some(TEST_INTERVAL),
            ..Refusal::because(Reason::RateLimited, error.to_string())
        },
        TestError::NotFound => Refusal::not_found(),
        TestError::Gate(_) | TestError::Fenced => {
            tracing::error!(%error, webhook = %id, "failed to send a test event");
            Refusal::new(Reason::Unavailable)
        }
    })?;
    let now = visit.now;
    Ok(Outcome::part(Fragment::render(
        &visit.preferences.zone,
        || view! { <TestReport test now/> },
    )))
}

/// Whether a webhook could have this name.
#[server(prefix = "/integrations/webhook/actions", endpoint = "check-name", protocol = Call, input_derive = (Clone,))]
pub async fn check_name(webhook: Form<WebhookForm>) -> Result<Advice, Refusal> {
    let (visit, form) = (visit(), webhook.value);
    let error = match WebhookName::parse(&form.name) {
        Err(error) => Some(error.to_string()),
        Ok(name) => {
            let names = visit.account().webhook_names().await?;
            let taken = names
                .iter()
                .any(|(id, other)| *other == name.to_string() && id.as_str() != form.id);
            taken.then(|| name.taken())
        }
    };
    Ok(Advice { error, advice: None })
}

/// What is wrong with a URL, or unwise. By POST, so that no log keeps a URL that may hold a password.
#[server(prefix = "/integrations/webhook/actions", endpoint = "check-url", protocol = Call, input_derive = (Clone,))]
pub async fn check_url(url: Form<Typed>) -> Result<Advice, Refusal> {
    let visit = visit();
    Ok(match EndpointUrl::parse(&url.value.value, visit.ui.transport) {
        Err(error) => Advice {
            error: Some(error.to_string()),
            advice: None,
        },
        Ok(url) => {
            let lines = visit.ui.guard.advise(&url).await;
            let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
            Advice {
                error: None,
                advice: (!lines.is_empty()).then(|| lines.join("\n")),
            }
        }
    })
}

#[cfg(feature = "ssr")]
pub fn webhook_id(text: &str) -> Result<WebhookId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

#[cfg(feature = "ssr")]
impl WebhookForm {
    /// Filled with what is stored.
    pub fn of(webhook: &Webhook) -> Self {
        Self {
            id: webhook.id.to_string(),
            version: Some(webhook.version),
            url: webhook.url.to_string(),
            name: webhook.name.to_string(),
            events: webhook.events.iter().map(|event| event.to_string()).collect(),
            ..Self::default()
        }
    }

    pub fn id(&self) -> Result<WebhookId, Refusal> {
        webhook_id(&self.id)
    }

    pub fn draft(&self) -> Draft {
        Draft {
            url: self.url.clone(),
            name: self.name.clone(),
            secret: self.secret.clone(),
            events: self.event_types(),
        }
    }

    /// Each once, in the order of the form, and “all insights” as the five that it stands for; as they were posted if
    /// they are not all event types.
    fn event_types(&self) -> Vec<String> {
        let posted = self.events.iter().map(String::as_str);
        match EventTypes::parse(posted) {
            Ok(events) => events.iter().map(|event| event.to_string()).collect(),
            Err(_) => self.events.clone(),
        }
    }

    fn back(&self) -> String {
        back_to(&self.back, paths::LIST)
    }

    /// Whether the form holds what is not saved yet.
    fn is_unsaved(&self, saved: &Webhook) -> bool {
        let (stored, draft) = (Self::of(saved).draft(), self.draft());
        self.version.is_some()
            && (stored.url != draft.url.trim()
                || stored.name != draft.name.trim()
                || stored.events != draft.events
                || !draft.secret.trim().is_empty())
    }

    /// After a change of something else: back to the list, unless something was typed. Then the form stays open with it,
    /// and is still based on what its user has seen.
    async fn after(&self, visit: &Visit, before: &Webhook, after: &Webhook, what: &str) -> Outcome {
        let flash = Flash::done(after, what);
        if !self.is_unsaved(before) {
            return visit.done(flash, &self.back()).await;
        }
        let seen = self.version.filter(|seen| *seen != before.version);
        Outcome {
            message: Some(format!(
                "{} What you changed below is not saved yet.",
                flash.message
            )),
            version: Some(seen.unwrap_or(after.version)),
            // The same page again: its buttons and its status have changed.
            to: Some(with_back(&paths::webhook(&after.id), &self.back())),
            part: None,
        }
    }
}

/// The page of a webhook over the list that `back` shows.
#[cfg(feature = "ssr")]
fn with_back(path: &str, back: &str) -> String {
    match back.split_once('?') {
        Some((_, query)) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

#[cfg(feature = "ssr")]
impl Draft {
    /// Takes over what somebody else saved in these fields.
    fn keep_saved(&mut self, fields: &[String], saved: &Webhook) {
        let saved = WebhookForm::of(saved).draft();
        let keeps = |field: Field| fields.iter().any(|name| name == field.as_str());
        if keeps(Field::Url) {
            self.url = saved.url;
        }
        if keeps(Field::Name) {
            self.name = saved.name;
        }
        if keeps(Field::Events) {
            self.events = saved.events;
        }
    }
}

#[cfg(feature = "ssr")]
impl Refusal {
    /// Somebody else saved the webhook meanwhile. Says what, and bases the next attempt on it.
    fn stale(visit: &Visit, saved: Webhook, draft: Draft) -> Self {
        let (version, now) = (saved.version, visit.now);
        let mine = WebhookForm::of(&saved).draft();
        let part = Fragment::render(&visit.preferences.zone, || {
            view! { <Conflict by=saved.updated_by.to_string() at=saved.updated_at saved=mine yours=draft now/> }
        });
        Self {
            part: Some(part),
            version: Some(version),
            ..Self::new(Reason::Stale)
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn read(body: &str) -> WebhookForm {
        serde_html_form::from_str(body).unwrap()
    }

    #[test]
    fn repeated_fields_stay_repeated_and_absent_ones_are_empty() {
        let form = read("name=A+%26+B&events=chat&events=insight.*");
        assert_eq!(form.events, ["chat", "insight.*"]);
        assert_eq!(form.name, "A & B");
        assert_eq!(form.url, "");
        assert_eq!(form.version, None);
        assert_eq!(read("version=7&do=pause").version, Some(7));
        assert!(serde_html_form::from_str::<WebhookForm>("version=seven").is_err());
    }

    #[test]
    fn a_draft_has_the_events_as_they_are_stored() {
        let events = |body: &str| read(body).draft().events;
        assert_eq!(
            events("events=message&events=chat&events=chat"),
            ["chat", "message"]
        );
        assert_eq!(events("events=insight.*&events=insight.key").len(), 5);
        assert_eq!(events("events=unheard-of"), ["unheard-of"]);
        assert!(events("name=x").is_empty());
    }
}
