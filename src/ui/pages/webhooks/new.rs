//! `/integrations/webhook/new`: the dialog “Add Webhook”.

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};
use zeroize::Zeroizing;

use super::{
    form::{FORM, Fields, FormMode},
    list::show_over_list,
};
use crate::{
    domain::Secret,
    ui::{
        PageError,
        actions::{
            self,
            serve::{FormFeedback, Submission},
            webhooks::{AddWebhook, WebhookForm, add_webhook},
        },
        components::{
            dialog::{CANCEL_FORM, Dialog},
            form::{ActionForm, SubmissionToken},
        },
        paths,
        request::{context::RequestContext, form::Form, query::ListQuery},
    },
};

pub async fn show(ctx: RequestContext) -> Response {
    page(&ctx, WebhookForm::default(), FormFeedback::default()).await
}

pub async fn add(ctx: RequestContext, Form(form): Form<WebhookForm>) -> Result<Response, PageError> {
    let adding = add_webhook(actions::protocol::Form::new(form.clone()));
    Ok(match ctx.submit(adding).await? {
        Submission::Redirect(response) => response,
        Submission::Rerender(feedback) => page(&ctx, form, feedback).await,
    })
}

async fn page(ctx: &RequestContext, mut form: WebhookForm, feedback: FormFeedback) -> Response {
    if form.secret.trim().is_empty() {
        form.secret = Zeroizing::new(Secret::generate().reveal().to_owned());
    }
    let (status, headers) = (feedback.status, feedback.headers());
    let page = show_over_list(ctx, "Add Webhook", status, |query| {
        view! { <AddDialog form feedback query/> }.into_any()
    });
    (headers, page.await).into_response()
}

#[component]
fn AddDialog(form: WebhookForm, feedback: FormFeedback, query: ListQuery) -> impl IntoView {
    let notice = (&feedback).into();
    view! {
        <Dialog title="Add Webhook" query=query.clone()>
            <ActionForm class="dialog__body" id=FORM page=query.href(paths::NEW) function=AddWebhook::PATH notice>
                <SubmissionToken/>
                <Fields form feedback mode=FormMode::Add/>
            </ActionForm>
            <div class="dialog__buttons">
                <button class="button" type="submit" form=CANCEL_FORM>"Cancel"</button>
                <button class="button button--primary" type="submit" form=FORM>"Add"</button>
            </div>
        </Dialog>
    }
}
