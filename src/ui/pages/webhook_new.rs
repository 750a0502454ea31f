//! `/integrations/webhook/new`: the dialog “Add Webhook”.

use axum::{http::StatusCode, response::Response};
use leptos::prelude::*;
use zeroize::Zeroizing;

use super::{
    webhook_form::{FORM, Fields, FormState, Purpose},
    webhooks::show_under,
};
use crate::{
    domain::Secret,
    ui::{
        PageError,
        components::dialog::{CANCEL, Dialog},
        flash::Flash,
        form::Posted,
        paths,
        query::ListQuery,
        visit::Visit,
    },
    webhooks::Draft,
};

pub async fn show(visit: Visit) -> Result<Response, PageError> {
    Ok(answer(&visit, StatusCode::OK, FormState::new(Draft::default())).await)
}

pub async fn add(visit: Visit, form: Posted) -> Result<Response, PageError> {
    let draft = form.draft();
    match visit.ui.webhooks.add(&visit.actor(), &draft).await {
        // Without the filters: the new row is the first of the whole list.
        Ok((webhook, _)) => Ok(visit.leave(Flash::done(&webhook, "added"), paths::LIST).await),
        Err(error) => {
            let (status, form) = FormState::refused(draft, error)?;
            Ok(answer(&visit, status, form).await)
        }
    }
}

async fn answer(visit: &Visit, status: StatusCode, mut form: FormState) -> Response {
    if form.draft.secret.trim().is_empty() {
        form.draft.secret = Zeroizing::new(Secret::generate().reveal().to_owned());
    }
    show_under(visit, "Add Webhook", status, |query| {
        view! { <AddDialog form query/> }.into_any()
    })
    .await
}

#[component]
fn AddDialog(form: FormState, query: ListQuery) -> impl IntoView {
    view! {
        <Dialog title="Add Webhook" query=query.clone()>
            <form class="dialog__body" id=FORM method="post" action=query.on(paths::NEW) novalidate>
                <Fields form purpose=Purpose::Add/>
            </form>
            <div class="dialog__buttons">
                <button class="button" type="submit" form=CANCEL>"Cancel"</button>
                <button class="button button--primary" type="submit" form=FORM>"Add"</button>
            </div>
        </Dialog>
    }
}
