//! `/settings/users/{id}`: one of the account's people: their role, and whether they may sign in.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use crate::{
    domain::{Role, Timestamp, UserId},
    store::{Changed, Person},
    ui::{
        PageError,
        components::{badge::PersonBadge, roles::RoleChoice, time_ago::Moment},
        flash::Flash,
        form::Posted,
        paths,
        render::Page,
        shell::Section,
        visit::Visit,
    },
};

pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let person = load(&visit, &parse_id(&id)?).await?;
    let chosen = person.user.role;
    Ok(answer(&visit, StatusCode::OK, person, chosen, None))
}

pub async fn change_role(
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let person = load(&visit, &parse_id(&id)?).await?;
    let chosen: Role = posted.text("role").parse().unwrap_or(person.user.role);
    let store = &visit.ui.store;
    match store.change_role(&visit.act(), &person.user.id, chosen).await? {
        Changed::Done => {
            let flash = Flash::plain(format!("{} is {} now.", person.user.email, chosen.with_article()));
            // Who is no admin any more cannot look at the users.
            let demoted = person.user.id == visit.user.id && chosen < Role::Admin;
            let next = if demoted { paths::ACCOUNT } else { paths::USERS };
            Ok(visit.leave(flash, next).await)
        }
        Changed::LastAdmin => Ok(refused(&visit, person, chosen)),
        Changed::NotFound => Err(PageError::NotFound),
    }
}

pub async fn disable(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let person = load(&visit, &parse_id(&id)?).await?;
    let disabled = visit.ui.store.disable_user(&visit.act(), &person.user.id).await?;
    match disabled {
        // They have just signed themselves out.
        Changed::Done if person.user.id == visit.user.id => Ok(Redirect::to(paths::LOGIN).into_response()),
        Changed::Done => {
            let flash = Flash::plain(format!("{} was disabled and signed out.", person.user.email));
            Ok(visit.leave(flash, paths::USERS).await)
        }
        Changed::LastAdmin => {
            let chosen = person.user.role;
            Ok(refused(&visit, person, chosen))
        }
        Changed::NotFound => Err(PageError::NotFound),
    }
}

pub async fn enable(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let person = load(&visit, &parse_id(&id)?).await?;
    visit.ui.store.enable_user(&visit.act(), &person.user.id).await?;
    let flash = Flash::plain(format!("{} may sign in again.", person.user.email));
    Ok(visit.leave(flash, paths::USERS).await)
}

/// People come here by GET when they had to sign in again before the form went through.
pub async fn instead(_: Visit, Path(id): Path<String>) -> Result<Redirect, PageError> {
    Ok(Redirect::to(&paths::user(&parse_id(&id)?)))
}

fn parse_id(id: &str) -> Result<UserId, PageError> {
    id.parse().map_err(|_| PageError::NotFound)
}

async fn load(visit: &Visit, id: &UserId) -> Result<Person, PageError> {
    let person = visit.ui.store.person(&visit.user.account_id, id).await?;
    person.ok_or(PageError::NotFound)
}

/// An account without an admin could not help itself any more.
fn refused(visit: &Visit, person: Person, chosen: Role) -> Response {
    let error = format!(
        "{} is the last active admin of this account. Make somebody else an admin first.",
        person.user.email
    );
    answer(visit, StatusCode::CONFLICT, person, chosen, Some(error))
}

fn answer(
    visit: &Visit,
    status: StatusCode,
    person: Person,
    chosen: Role,
    refusal: Option<String>,
) -> Response {
    let title = person.user.email.clone();
    let page = Page::new(&title, Section::Users).with_status(status);
    let (own, now) = (person.user.id == visit.user.id, visit.now);
    visit.page(page, || {
        view! { <PersonScreen person chosen own refusal now/> }.into_any()
    })
}

#[component]
fn PersonScreen(
    person: Person,
    /// In the form.
    chosen: Role,
    /// Whether they are who looks at it.
    own: bool,
    #[prop(optional_no_strip)] refusal: Option<String>,
    now: Timestamp,
) -> impl IntoView {
    let Person {
        user,
        account: _,
        last_sign_in_at,
        disabled_at,
    } = person;
    let last = match last_sign_in_at {
        Some(at) => view! { "Last signed in at "<Moment at now/>"." }.into_any(),
        None => view! { "Has never signed in." }.into_any(),
    };
    let refusal = refusal.map(
        |text| view! { <p class="notice notice--bad" role="alert" tabindex="-1" autofocus=true>{text}</p> },
    );
    let access = match disabled_at {
        None => view! {
            <p class="quiet">
                "Disabling signs them out everywhere at once, and they cannot sign in any more. What they did stays on \
                 record, and they can be enabled again."
            </p>
            <form method="post" action=paths::disable(&user.id)>
                <button class="button button--danger" type="submit">"Disable"</button>
            </form>
        }
        .into_any(),
        Some(at) => view! {
            <p class="quiet">"Disabled at "<Moment at now/>". Enabled again, they sign in with the password they had."</p>
            <form method="post" action=paths::enable(&user.id)>
                <button class="button" type="submit">"Enable"</button>
            </form>
        }
        .into_any(),
    };
    view! {
        <div class="heading">
            <div>
                <p class="heading__back"><a href=paths::USERS>"Users"</a></p>
                <h1 class="heading__with-badge">
                    <span class="address">{user.email}</span><PersonBadge is_active=disabled_at.is_none()/>
                </h1>
                <p class="heading__text">{own.then_some("This is you. ")}{last}</p>
            </div>
        </div>
        {refusal}
        <section class="card section" aria-labelledby="role">
            <h2 id="role">"What they may do"</h2>
            <form class="section__form" method="post" action=paths::user(&user.id)>
                <RoleChoice chosen/>
                <p><button class="button button--primary" type="submit">"Save"</button></p>
            </form>
        </section>
        <section class="card section" aria-labelledby="access">
            <h2 id="access">"Signing in"</h2>
            {access}
        </section>
    }
}
