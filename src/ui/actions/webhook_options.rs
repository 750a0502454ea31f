//! Server functions for the optional settings in the form of a webhook. They save nothing.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::{
        serve::{FormFeedback, request_context},
        webhooks::header_names,
    },
    crate::{
        domain::{EventTypes, filter::Filter},
        ui::{
            components::{
                advanced::{AdvancedFields, Functions},
                filter_preview::{FilterPreviewSection, NoPreview},
            },
            layout::fragment::Fragment,
            request::context::RequestContext,
        },
    },
    leptos::server_fn::ServerFn,
};

use super::{
    outcome::Outcome,
    protocol::{Form, FormProtocol},
    refusal::Refusal,
    webhooks::WebhookForm,
};

/// The functions that the fields call.
#[cfg(feature = "ssr")]
pub const FUNCTIONS: Functions = Functions {
    arrange: ArrangeForm::PATH,
    preview: PreviewFilter::PATH,
};

/// Adds or removes rows of headers or conditions. Saves nothing.
#[server(prefix = "/integrations/webhook/actions", endpoint = "arrange", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn arrange_form(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let (ctx, mut form) = (request_context(), form.value);
    let change = form.row_change();
    if let Some(change) = change {
        form.change_rows(change);
    }
    let saved_headers = match form.id.is_empty() {
        true => Vec::new(),
        false => header_names(&ctx.webhook(&form.id()?).await?),
    };
    let policy = ctx.ui.delivery_policy.clone();
    let feedback = FormFeedback::default();
    Ok(Outcome::part(Fragment::render(&ctx.preferences.zone, || {
        view! {
            <AdvancedFields
                form=&form
                saved_headers
                feedback=&feedback
                policy=&policy
                change
                preview=None
                functions=FUNCTIONS
                readonly=false
            />
        }
    })))
}

/// Tries the filter of the form with the newest events. Saves nothing.
#[server(prefix = "/integrations/webhook/actions", endpoint = "preview-filter", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn preview_filter(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let (ctx, draft) = (request_context(), form.value.draft());
    let types = EventTypes::parse(draft.events.iter().map(String::as_str));
    let part = match (types, Filter::parse_text(&draft.filter)) {
        (Err(error), _) => no_preview(&ctx, error.to_string()),
        (_, Err(error)) => no_preview(&ctx, error.to_string()),
        (Ok(types), Ok(filter)) => {
            let preview = ctx
                .ui
                .webhooks
                .preview_filter(&ctx.actor(), &types, &filter)
                .await?;
            let now = ctx.now;
            Fragment::render(
                &ctx.preferences.zone,
                || view! { <FilterPreviewSection preview now/> },
            )
        }
    };
    Ok(Outcome::part(part))
}

#[cfg(feature = "ssr")]
fn no_preview(ctx: &RequestContext, reason: String) -> Fragment {
    Fragment::render(&ctx.preferences.zone, || view! { <NoPreview reason/> })
}
