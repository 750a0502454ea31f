//! `/settings/users`: who belongs to the account, and who may, by an invite.

mod invite_form;
mod table;

use axum::{
    extract::Path,
    http::StatusCode,
    response::{Redirect, Response},
};
use leptos::prelude::*;
use zeroize::Zeroizing;

use self::{invite_form::InviteForm, table::Table};
use crate::{
    auth::invites::VALID,
    domain::{Email, InviteId, Role, Timestamp},
    store::{Invite, Invited, Person},
    ui::{
        PageError, components::time_ago::Moment, flash::Flash, form::Posted,
        islands::copy_button::CopyButton, paths, render::Page, shell::Section, visit::Visit,
    },
};

/// What the screen shows besides those whom it lists.
#[derive(Default)]
struct State {
    form: FormState,
    link: Option<Link>,
}

/// What was typed into the form, and what was wrong with it.
struct FormState {
    email: String,
    role: Role,
    error: Option<String>,
}

impl Default for FormState {
    /// The least that somebody can be given.
    fn default() -> Self {
        Self {
            email: String::new(),
            role: Role::Viewer,
            error: None,
        }
    }
}

/// A link that was made just now: nobody will see it again.
struct Link {
    email: String,
    url: Zeroizing<String>,
    expires_at: Timestamp,
}

impl Link {
    fn new(visit: &Visit, email: String, token: &str) -> Self {
        Self {
            email,
            url: Zeroizing::new(paths::invite_link(&visit.ui.public_url, token)),
            expires_at: visit.now.plus(VALID),
        }
    }
}

pub async fn show(visit: Visit) -> Result<Response, PageError> {
    answer(&visit, StatusCode::OK, State::default()).await
}

pub async fn invite(visit: Visit, posted: Posted) -> Result<Response, PageError> {
    let typed = posted.text("email");
    let role = posted.text("role").parse().unwrap_or(Role::Viewer);
    let refused = |error: String| State {
        form: FormState {
            email: typed.to_owned(),
            role,
            error: Some(error),
        },
        link: None,
    };
    let email = match Email::parse(typed) {
        Ok(email) => email,
        Err(error) => {
            let state = refused(error.to_string());
            return answer(&visit, StatusCode::UNPROCESSABLE_ENTITY, state).await;
        }
    };
    match visit.ui.auth.invite(&visit.act(), email.clone(), role).await? {
        Ok(token) => {
            let link = Some(Link::new(&visit, email.to_string(), &token));
            let form = FormState::default();
            answer(&visit, StatusCode::OK, State { form, link }).await
        }
        Err(why) => {
            let error = match why {
                Invited::Already => {
                    format!("{email} was invited already: make a new link in the list below.")
                }
                Invited::Disabled => format!("{email} is disabled: enable them instead."),
                Invited::Member | Invited::Done => format!("{email} belongs to this account already."),
            };
            answer(&visit, StatusCode::UNPROCESSABLE_ENTITY, refused(error)).await
        }
    }
}

pub async fn renew(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let renewed = visit
        .ui
        .auth
        .renew_invite(&visit.act(), &parse_invite_id(&id)?)
        .await?;
    let (invite, token) = renewed.ok_or(PageError::NotFound)?;
    let link = Some(Link::new(&visit, invite.email, &token));
    let form = FormState::default();
    answer(&visit, StatusCode::OK, State { form, link }).await
}

pub async fn revoke(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let id = parse_invite_id(&id)?;
    let revoked = visit.ui.store.revoke_invite(&visit.act(), &id).await?;
    let invite = revoked.ok_or(PageError::NotFound)?;
    let flash = Flash::plain(format!("The invite for {} was revoked.", invite.email));
    Ok(visit.leave(flash, paths::USERS).await)
}

/// People come here by GET when they had to sign in again before the form went through.
pub async fn instead(_: Visit) -> Redirect {
    Redirect::to(paths::USERS)
}

fn parse_invite_id(id: &str) -> Result<InviteId, PageError> {
    id.parse().map_err(|_| PageError::NotFound)
}

async fn answer(visit: &Visit, status: StatusCode, state: State) -> Result<Response, PageError> {
    let people = visit.ui.store.people(&visit.user.account_id).await?;
    let invites = visit.ui.store.invites(&visit.user.account_id).await?;
    let mut page = Page::new("Users", Section::Users).with_status(status);
    if state.link.is_some() {
        page = page.with_islands();
    }
    let now = visit.now;
    Ok(visit.page(page, || {
        view! { <UsersScreen people invites state now/> }.into_any()
    }))
}

#[component]
fn UsersScreen(people: Vec<Person>, invites: Vec<Invite>, state: State, now: Timestamp) -> impl IntoView {
    let link = state.link.map(|link| view! { <NewLink link now/> });
    view! {
        <div class="heading">
            <div>
                <h1>"Users"</h1>
                <p class="heading__text">"Who may sign in to this account, and what they may do."</p>
            </div>
        </div>
        {link}
        <Table people invites now/>
        <InviteForm form=state.form/>
    }
}

/// Takes the focus, since it is what was asked for.
#[component]
fn NewLink(link: Link, now: Timestamp) -> impl IntoView {
    view! {
        <section class="card section copied" aria-labelledby="link" role="status">
            <h2 id="link">{format!("Link for {}", link.email)}</h2>
            <p class="secrets__shown">
                <code class="secrets__text" tabindex="-1" autofocus=true>{link.url.to_string()}</code>
                <CopyButton/>
            </p>
            <p class="quiet">
                "Send it to them: it is shown only now. It can be used once, until "<Moment at=link.expires_at now/>"."
            </p>
        </section>
    }
}
