//! `/settings/users/{id}`: one of the account's people: their role, and whether they may sign in.

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    domain::{Role, Timestamp, UserId},
    store::Person,
    ui::{
        PageError,
        actions::{
            protocol,
            serve::{Reply, Submitted},
            users::{ChangeRole, DisableUser, EnableUser, UserForm, change_role, disable_user, enable_user},
        },
        components::{badge::PersonBadge, form::ActionForm, roles::RoleChoice, time_ago::Moment},
        layout::{document::Page, shell::Section},
        paths,
        request::{form::Form, visit::Visit},
    },
};

pub async fn show(paths::User { id }: paths::User, visit: Visit) -> Result<Response, PageError> {
    page(&visit, &id, None, Reply::default()).await
}

pub async fn change(
    paths::User { id }: paths::User,
    visit: Visit,
    Form(form): Form<UserForm>,
) -> Result<Response, PageError> {
    let form = UserForm {
        id: id.to_string(),
        ..form
    };
    let argument = protocol::Form::of(form.clone());
    let submitted = match &*form.button {
        "disable" => visit.submit(disable_user(argument)).await?,
        "enable" => visit.submit(enable_user(argument)).await?,
        _ => visit.submit(change_role(argument)).await?,
    };
    match submitted {
        Submitted::Done(response) => Ok(response),
        Submitted::Again(reply) => page(&visit, &id, form.role.parse().ok(), reply).await,
    }
}

async fn page(visit: &Visit, id: &UserId, chosen: Option<Role>, reply: Reply) -> Result<Response, PageError> {
    let person = visit.account().person(id).await?;
    let person = person.ok_or(PageError::NotFound)?;
    let chosen = chosen.unwrap_or(person.user.role);
    let title = person.user.email.clone();
    let page = Page::new(&title, Section::Users)
        .with_islands()
        .with_status(reply.status);
    let (own, now, headers) = (person.user.id == visit.user.id, visit.now, reply.headers());
    let page = visit.page(page, || {
        view! { <PersonScreen person chosen own reply now/> }.into_any()
    });
    Ok((headers, page).into_response())
}

#[component]
fn PersonScreen(
    person: Person,
    /// In the form.
    chosen: Role,
    /// Whether they are who looks at it.
    own: bool,
    reply: Reply,
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
    let id = user.id.clone();
    let (page, own_id) = (paths::user(&id), id.to_string());
    let same_id = own_id.clone();
    let access = match disabled_at {
        None => view! {
            <p class="quiet">
                "Disabling signs them out everywhere at once, and they cannot sign in any more. What they did stays on \
                 record, and they can be enabled again."
            </p>
            <ActionForm page=page.clone() function=DisableUser::PATH>
                <input type="hidden" name="id" value=own_id.clone()/>
                <button class="button button--danger" type="submit" name="do" value="disable">"Disable"</button>
            </ActionForm>
        }
        .into_any(),
        Some(at) => view! {
            <p class="quiet">"Disabled at "<Moment at now/>". Enabled again, they sign in with the password they had."</p>
            <ActionForm page=page.clone() function=EnableUser::PATH>
                <input type="hidden" name="id" value=own_id.clone()/>
                <button class="button" type="submit" name="do" value="enable">"Enable"</button>
            </ActionForm>
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
        <section class="card section" aria-labelledby="role">
            <h2 id="role">"What they may do"</h2>
            <ActionForm
                class="section__form"
                page=page.clone()
                function=ChangeRole::PATH
                reply=(&reply).into()
            >
                <input type="hidden" name="id" value=same_id/>
                <RoleChoice chosen/>
                <p><button class="button button--primary" type="submit">"Save"</button></p>
            </ActionForm>
        </section>
        <section class="card section" aria-labelledby="access">
            <h2 id="access">"Signing in"</h2>
            {access}
        </section>
    }
}
