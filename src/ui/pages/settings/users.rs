//! `/settings/users`: who belongs to the account, and who may, by an invite.

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
            serve::{Reply, Submitted},
            users::{InviteForm, invite_user, renew_invite, revoke_invite},
        },
        components::form::Part,
        layout::{document::Page, shell::Section},
        paths,
        request::{form::Form, visit::Visit},
    },
};

pub async fn show(visit: Visit) -> Result<Response, PageError> {
    page(&visit, InviteForm::default(), Reply::default()).await
}

/// Invites somebody, or renews or revokes the invite that is named.
pub async fn change(visit: Visit, Form(form): Form<InviteForm>) -> Result<Response, PageError> {
    let argument = protocol::Form::of(form.clone());
    let submitted = match &*form.button {
        "renew" => visit.submit(renew_invite(argument)).await?,
        "revoke" => visit.submit(revoke_invite(argument)).await?,
        _ => visit.submit(invite_user(argument)).await?,
    };
    match submitted {
        Submitted::Done(response) => Ok(response),
        // A link was made: the form is for somebody else now.
        Submitted::Again(reply) if reply.part.is_some() => page(&visit, InviteForm::default(), reply).await,
        Submitted::Again(reply) => page(&visit, form, reply).await,
    }
}

async fn page(visit: &Visit, form: InviteForm, reply: Reply) -> Result<Response, PageError> {
    let people = visit.account().people().await?;
    let invites = visit.account().invites().await?;
    let mut page = Page::new("Users", Section::Users).with_status(reply.status);
    if reply.part.is_some() {
        page = page.with_secrets();
    }
    let (now, headers) = (visit.now, reply.headers());
    let page = visit.list_page(page, paths::USERS.to_owned(), || {
        view! { <UsersScreen people invites form reply now/> }.into_any()
    });
    Ok((headers, page).into_response())
}

#[component]
fn UsersScreen(
    people: Vec<Person>,
    invites: Vec<Invite>,
    form: InviteForm,
    reply: Reply,
    now: Timestamp,
) -> impl IntoView {
    let part = reply.part.clone();
    view! {
        <div class="heading">
            <div>
                <h1>"Users"</h1>
                <p class="heading__text">"Who may sign in to this account, and what they may do."</p>
            </div>
        </div>
        <Part html=part/>
        <Table people invites now/>
        <NewInvite form reply/>
    }
}
