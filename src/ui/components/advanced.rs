//! The optional settings of a webhook, below “Advanced” in its form.

mod filter;
mod headers;

use leptos::prelude::*;

use self::{filter::FilterRowsField, headers::HeaderRowsField};
use super::{
    field::{FieldError, TextField},
    time_ago::short_duration,
};
use crate::{
    domain::{
        Field, RetrySchedule,
        delivery_settings::{Description, Retries, TimeoutSeconds},
    },
    ui::{
        actions::{
            serve::FormFeedback,
            webhooks::{RowChange, WebhookForm},
        },
        layout::fragment::Fragment,
        state::DeliveryPolicy,
    },
};

/// The paths of the server functions that the fields call.
#[derive(Debug, Clone, Copy)]
pub struct Functions {
    /// Adds or removes rows.
    pub arrange: &'static str,
    /// Tries the filter.
    pub preview: &'static str,
}

/// The id of the element that buttons for rows replace.
const PART: &str = "advanced";

/// The disclosure. It is open if a setting has a value or an error.
#[component]
pub fn Advanced<'a>(
    form: &'a WebhookForm,
    saved_headers: Vec<String>,
    feedback: &'a FormFeedback,
    policy: &'a DeliveryPolicy,
    /// The change of rows that this page shows.
    change: Option<RowChange>,
    preview: Option<Fragment>,
    functions: Functions,
    readonly: bool,
) -> impl IntoView + use<> {
    let is_set = [&form.description, &form.rate_limit, &form.timeout_seconds]
        .iter()
        .any(|text| !text.trim().is_empty());
    let is_set = is_set
        || !form.header_name.is_empty()
        || !form.condition_field.is_empty()
        || !matches!(&*form.retries, "" | "standard");
    let errors: Vec<_> = FIELDS
        .iter()
        .map(|field| feedback.error(field.as_str()))
        .collect();
    let is_open = is_set || change.is_some() || preview.is_some() || errors.iter().any(Option::is_some);
    view! {
        <details class="advanced" open=is_open>
            <summary>"Advanced"</summary>
            <div class="advanced__fields" id=PART>
                <AdvancedFields form saved_headers feedback policy change preview functions readonly/>
            </div>
        </details>
    }
}

/// The fields of this part of the form.
const FIELDS: [Field; 6] = [
    Field::Description,
    Field::Headers,
    Field::Filter,
    Field::RateLimit,
    Field::TimeoutSeconds,
    Field::Retries,
];

#[component]
pub fn AdvancedFields<'a>(
    form: &'a WebhookForm,
    saved_headers: Vec<String>,
    feedback: &'a FormFeedback,
    policy: &'a DeliveryPolicy,
    change: Option<RowChange>,
    preview: Option<Fragment>,
    functions: Functions,
    readonly: bool,
) -> impl IntoView + use<> {
    let error = |field: Field| feedback.error(field.as_str());
    // The first of these fields with an error, unless a field above them has one.
    let first = feedback
        .fields
        .first()
        .and_then(|error| error.name.parse::<Field>().ok());
    let focus = |field: Field| first == Some(field);
    let default_timeout = short_duration(policy.timeout);
    view! {
        {change.map(|_| view! { <span data-unsaved hidden></span> })}
        <DescriptionField
            value=form.description.clone()
            error=error(Field::Description)
            focus=focus(Field::Description)
            readonly
        />
        <HeaderRowsField
            rows=form.headers()
            saved=saved_headers
            error=error(Field::Headers)
            focus=focus(Field::Headers)
            change
            functions
            readonly
        />
        <FilterRowsField
            rows=form.filter()
            events=form.events.clone()
            error=error(Field::Filter)
            focus=focus(Field::Filter)
            change
            preview
            functions
            readonly
        />
        <TextField
            id="rate_limit"
            label="Rate limit"
            value=form.rate_limit.clone()
            inputmode="numeric"
            hint="Calls per second, from 1 to 1,000. What exceeds it waits. Empty for no limit."
            error=error(Field::RateLimit)
            focus=focus(Field::RateLimit)
            readonly
        />
        <TextField
            id="timeout_seconds"
            label="Timeout"
            value=form.timeout_seconds.clone()
            inputmode="numeric"
            hint=format!("Seconds, from 1 to {}. Empty for {default_timeout}.", TimeoutSeconds::MAX.as_secs())
            error=error(Field::TimeoutSeconds)
            focus=focus(Field::TimeoutSeconds)
            readonly
        />
        <RetriesField
            value=form.retries.clone()
            schedule=policy.schedule.clone()
            error=error(Field::Retries)
            focus=focus(Field::Retries)
            readonly
        />
    }
}

#[component]
fn DescriptionField(value: String, error: Option<String>, focus: bool, readonly: bool) -> impl IntoView {
    view! {
        <div class="field">
            <label for="description">"Description"</label>
            <textarea
                id="description"
                name="description"
                rows="2"
                autofocus=focus
                readonly=readonly
                aria-invalid=error.is_some().then_some("true")
                aria-describedby="description-error description-hint"
            >
                {value}
            </textarea>
            <FieldError id="description" error/>
            <p class="field__hint" id="description-hint">
                {format!("What it is for, and who owns the receiver. Up to {} characters.", Description::MAX_LENGTH)}
            </p>
        </div>
    }
}

#[component]
fn RetriesField(
    value: String,
    schedule: RetrySchedule,
    error: Option<String>,
    focus: bool,
    readonly: bool,
) -> impl IntoView {
    let choices = [Retries::Standard, Retries::Short, Retries::None].map(|choice| {
        let selected = value == choice.as_str();
        let text = words(choice, &schedule);
        view! { <option value=choice.as_str() selected=selected>{text}</option> }
    });
    view! {
        <div class="field">
            <label for="retries">"Retries"</label>
            <select
                id="retries"
                name="retries"
                autofocus=focus
                disabled=readonly
                aria-invalid=error.is_some().then_some("true")
                aria-describedby="retries-error"
            >
                {choices.into_iter().collect_view()}
            </select>
            <FieldError id="retries" error/>
        </div>
    }
}

/// Describes a retry schedule: `Standard: 10 attempts over 3 d`.
fn words(retries: Retries, standard: &RetrySchedule) -> String {
    let schedule = retries.schedule(standard);
    match retries {
        Retries::None => "None: 1 attempt".to_owned(),
        Retries::Short => format!("Short: {} attempts within an hour", schedule.attempts()),
        Retries::Standard if schedule.attempts() == 1 => "Standard: 1 attempt".to_owned(),
        Retries::Standard => {
            let duration = short_duration(schedule.delays().iter().sum());
            format!("Standard: {} attempts over {duration}", schedule.attempts())
        }
    }
}

/// A button that adds or removes rows. With JavaScript, only this part of the page changes.
#[component]
fn RowButton(
    functions: Functions,
    change: RowChange,
    text: &'static str,
    /// The accessible name, if it is not the text.
    #[prop(optional, into)]
    name: Option<String>,
    #[prop(optional)] focus: bool,
) -> impl IntoView {
    view! {
        <button
            class="button button--small"
            type="submit"
            name="do"
            value=change.button()
            data-action=functions.arrange
            data-part=PART
            aria-label=name
            autofocus=focus
        >
            {text}
        </button>
    }
}
