//! `/settings/users`: the users of the account and the open invites.

mod invite_form;
pub mod one;
mod table;

use axum::response::{IntoResponse, Response};
use leptos::prelude::*;

use self::{invite_form::NewInvite, table::Table};
use crate::{
    domain::Timestamp,
    store::{Invite, Person},
    ui::{
        PageError,
        actions::{
            protocol,
            serve::{FormFeedback, Submission},
            users::{InviteForm, invite_user, renew_invite, revoke_invite},
        },
        components::form::Part,
        layout::{document::Page, shell::Section},
        paths,
        request::{context::RequestContext, form::Form},
    },
};

pub async fn show(ctx: RequestContext) -> Result<Response, PageError> {
    page(&ctx, InviteForm::default(), FormFeedback::default()).await
}

/// Creates an invite, or renews or revokes an existing one.
pub async fn change(ctx: RequestContext, Form(form): Form<InviteForm>) -> Result<Response, PageError> {
    let argument = protocol::Form::new(form.clone());
    let submitted = match &*form.button {
        "renew" => ctx.submit(renew_invite(argument)).await?,
        "revoke" => ctx.submit(revoke_invite(argument)).await?,
        _ => ctx.submit(invite_user(argument)).await?,
    };
    match submitted {
        Submission::Redirect(response) => Ok(response),
        // An invite was created, so the form starts empty again.
        Submission::Rerender(feedback) if feedback.part.is_some() => {
            page(&ctx, InviteForm::default(), feedback).await
        }
        Submission::Rerender(feedback) => page(&ctx, form, feedback).await,
    }
}

async fn page(ctx: &RequestContext, form: InviteForm, feedback: FormFeedback) -> Result<Response, PageError> {
    let people = ctx.account().people().await?;
    let invites = ctx.account().invites().await?;
    let mut page = Page::new("Users", Section::Users).with_status(feedback.status);
    if feedback.part.is_some() {
        page = page.with_secrets();
    }
    let (now, headers) = (ctx.now, feedback.headers());
    let page = ctx.render_list_page(page, paths::USERS.to_owned(), || {
        view! { <UsersScreen people invites form feedback now/> }.into_any()
    });
    Ok((headers, page).into_response())
}

#[component]
fn UsersScreen(
    people: Vec<Person>,
    invites: Vec<Invite>,
    form: InviteForm,
    feedback: FormFeedback,
    now: Timestamp,
) -> impl IntoView {
    let part = feedback.part.clone();
    view! {
        <div class="heading">
            <div>
                <h1>"Users"</h1>
                <p class="heading__text">"Users who can sign in to this account, and their roles."</p>
            </div>
        </div>
        <Part html=part/>
        <Table people invites now/>
        <NewInvite form feedback/>
    }
}
