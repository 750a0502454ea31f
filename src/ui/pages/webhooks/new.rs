//! `/integrations/webhook/new`: the dialog “Add Webhook”.

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};
use zeroize::Zeroizing;

use super::{
    form::{FORM, Fields, Purpose},
    list::show_under,
};
use crate::{
    domain::Secret,
    ui::{
        PageError,
        actions::{
            self,
            serve::{Reply, Submitted},
            webhooks::{AddWebhook, WebhookForm, add_webhook},
        },
        components::{
            dialog::{CANCEL, Dialog},
            form::ActionForm,
        },
        paths,
        request::{form::Form, query::ListQuery, visit::Visit},
    },
};

pub async fn show(visit: Visit) -> Response {
    page(&visit, WebhookForm::default(), Reply::default()).await
}

pub async fn add(visit: Visit, Form(form): Form<WebhookForm>) -> Result<Response, PageError> {
    let adding = add_webhook(actions::protocol::Form::of(form.clone()));
    Ok(match visit.submit(adding).await? {
        Submitted::Done(response) => response,
        Submitted::Again(reply) => page(&visit, form, reply).await,
    })
}

async fn page(visit: &Visit, mut form: WebhookForm, reply: Reply) -> Response {
    if form.secret.trim().is_empty() {
        form.secret = Zeroizing::new(Secret::generate().reveal().to_owned());
    }
    let (status, headers) = (reply.status, reply.headers());
    let page = show_under(visit, "Add Webhook", status, |query| {
        view! { <AddDialog form reply query/> }.into_any()
    });
    (headers, page.await).into_response()
}

#[component]
fn AddDialog(form: WebhookForm, reply: Reply, query: ListQuery) -> impl IntoView {
    let said = (&reply).into();
    view! {
        <Dialog title="Add Webhook" query=query.clone()>
            <ActionForm class="dialog__body" id=FORM page=query.on(paths::NEW) function=AddWebhook::PATH reply=said>
                <Fields form reply purpose=Purpose::Add/>
            </ActionForm>
            <div class="dialog__buttons">
                <button class="button" type="submit" form=CANCEL>"Cancel"</button>
                <button class="button button--primary" type="submit" form=FORM>"Add"</button>
            </div>
        </Dialog>
    }
}
