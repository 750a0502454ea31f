//! `/integrations/webhook/{id}/test`: the dialog “Send test event” with the result.

use axum::response::{IntoResponse, Response};
use axum_extra::extract::Query;
use leptos::{prelude::*, server_fn::ServerFn};
use serde::Deserialize;
use strum::VariantArray;

use super::list::show_over_list;
use crate::{
    domain::{EventType, Webhook},
    ui::{
        PageError,
        actions::{
            protocol,
            serve::{FormFeedback, Submission},
            webhooks::{SendTest, TestForm, send_test},
        },
        components::{
            dialog::{CANCEL_FORM, Dialog},
            form::{ActionForm, Part, SubmissionToken},
            select::Select,
        },
        paths,
        request::{context::RequestContext, form::Form, query::ListQuery},
    },
};

/// The event type that is preselected by the link from the catalog.
#[derive(Deserialize)]
pub struct TestParams {
    #[serde(default)]
    r#type: String,
}

pub async fn show(
    paths::WebhookTest { id }: paths::WebhookTest,
    Query(params): Query<TestParams>,
    ctx: RequestContext,
) -> Result<Response, PageError> {
    let webhook = ctx.webhook(&id).await?;
    let default = || webhook.settings.events.iter().next().unwrap_or(EventType::Chat);
    let chosen = params.r#type.parse().unwrap_or_else(|_| default());
    Ok(page(&ctx, webhook, chosen, FormFeedback::default()).await)
}

pub async fn send(
    paths::WebhookTest { id }: paths::WebhookTest,
    ctx: RequestContext,
    Form(form): Form<TestForm>,
) -> Result<Response, PageError> {
    let webhook = ctx.webhook(&id).await?;
    let chosen = form.r#type.parse().unwrap_or(EventType::Chat);
    let form = TestForm {
        id: id.to_string(),
        ..form
    };
    match ctx.submit(send_test(protocol::Form::new(form))).await? {
        Submission::Redirect(response) => Ok(response),
        Submission::Rerender(feedback) => Ok(page(&ctx, webhook, chosen, feedback).await),
    }
}

async fn page(ctx: &RequestContext, webhook: Webhook, chosen: EventType, feedback: FormFeedback) -> Response {
    let (status, headers) = (feedback.status, feedback.headers());
    let url = webhook.settings.url.shown(ctx.url_visibility());
    let page = show_over_list(ctx, "Send test event", status, |query| {
        view! { <TestDialog webhook url chosen feedback query/> }.into_any()
    });
    (headers, page.await).into_response()
}

#[component]
fn TestDialog(
    webhook: Webhook,
    url: String,
    chosen: EventType,
    feedback: FormFeedback,
    query: ListQuery,
) -> impl IntoView {
    let types = EventType::VARIANTS
        .iter()
        .map(|event| (event.to_string(), event.to_string()));
    let notice = (&feedback).into();
    let (edit, page) = (
        query.href(&paths::webhook(&webhook.id)),
        query.href(&paths::test(&webhook.id)),
    );
    view! {
        <Dialog title="Send test event" query=query.clone()>
            <div class="dialog__body test">
                <p>
                    "Sends a signed example event to "<a href=edit data-soft>{webhook.settings.name.to_string()}</a>
                    " immediately: "<span class="address">{url}</span>
                </p>
                <ActionForm class="test__form" id="test" page function=SendTest::PATH notice>
                    <input type="hidden" name="id" value=webhook.id.to_string()/>
                    <SubmissionToken/>
                    <Select id="test-type" name="type" label="Event type" choices=types.collect() chosen=chosen.as_str()/>
                    <button class="button button--primary" type="submit" autofocus=true>"Send test event"</button>
                </ActionForm>
                <Part html=feedback.part/>
            </div>
            <div class="dialog__buttons">
                <span class="dialog__gap"></span>
                <button class="button" type="submit" form=CANCEL_FORM>"Close"</button>
            </div>
        </Dialog>
    }
}
