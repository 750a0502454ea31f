//! `/integrations/webhook/new`: the dialog “Add Webhook”.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};
use zeroize::Zeroizing;

use super::{
    form::{DefaultSubmit, FORM, Fields, FormMode, FormState, Pressed},
    list::show_over_list,
};
use crate::{
    domain::Secret,
    ui::{
        PageError,
        actions::{
            self,
            serve::Submission,
            webhooks::{AddWebhook, WebhookForm, add_webhook},
        },
        components::{
            dialog::{CANCEL_FORM, Dialog},
            form::{ActionForm, SubmissionToken},
        },
        paths,
        request::{context::RequestContext, form::Form, query::ListQuery},
        state::DeliveryPolicy,
    },
};

pub async fn show(ctx: RequestContext) -> Response {
    page(&ctx, WebhookForm::default(), FormState::default()).await
}

pub async fn add(ctx: RequestContext, Form(form): Form<WebhookForm>) -> Result<Response, PageError> {
    let form = match FormState::of_button(&ctx, form).await? {
        Pressed::Rows(form, state) => return Ok(page(&ctx, form, state).await),
        Pressed::Other(form) => form,
    };
    let adding = add_webhook(actions::protocol::Form::new(form.clone()));
    Ok(match ctx.submit(adding).await? {
        Submission::Redirect(response) => response,
        Submission::Rerender(feedback) => {
            let state = FormState {
                feedback,
                ..FormState::default()
            };
            page(&ctx, form, state).await
        }
    })
}

async fn page(ctx: &RequestContext, mut form: WebhookForm, state: FormState) -> Response {
    if form.secret.trim().is_empty() {
        form.secret = Zeroizing::new(Secret::generate().reveal().to_owned());
    }
    let (status, headers) = (state.feedback.status, state.feedback.headers());
    let policy = Arc::clone(&ctx.ui.delivery_policy);
    let page = show_over_list(ctx, "Add Webhook", status, |query| {
        view! { <AddDialog form state policy query/> }.into_any()
    });
    (headers, page.await).into_response()
}

#[component]
fn AddDialog(
    form: WebhookForm,
    state: FormState,
    policy: Arc<DeliveryPolicy>,
    query: ListQuery,
) -> impl IntoView {
    let notice = (&state.feedback).into();
    view! {
        <Dialog title="Add Webhook" query=query.clone()>
            <ActionForm class="dialog__body" id=FORM page=query.href(paths::NEW) function=AddWebhook::PATH notice>
                <DefaultSubmit/>
                <SubmissionToken/>
                <Fields form state policy mode=FormMode::Add/>
            </ActionForm>
            <div class="dialog__buttons">
                <button class="button" type="submit" form=CANCEL_FORM>"Cancel"</button>
                <button class="button button--primary" type="submit" form=FORM>"Add"</button>
            </div>
        </Dialog>
    }
}
