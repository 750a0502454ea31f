//! `/settings/users/{id}`: the role of a user, and whether they are disabled.

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    domain::{Role, Timestamp, UserId},
    store::Person,
    ui::{
        PageError,
        actions::{
            protocol,
            serve::{FormFeedback, Submission},
            users::{ChangeRole, DisableUser, EnableUser, UserForm, change_role, disable_user, enable_user},
        },
        components::{badge::UserBadge, form::ActionForm, roles::RoleChoice, time_ago::ExactTime},
        layout::{document::Page, shell::Section},
        paths,
        request::{context::RequestContext, form::Form},
    },
};

pub async fn show(paths::User { id }: paths::User, ctx: RequestContext) -> Result<Response, PageError> {
    page(&ctx, &id, None, FormFeedback::default()).await
}

pub async fn change(
    paths::User { id }: paths::User,
    ctx: RequestContext,
    Form(form): Form<UserForm>,
) -> Result<Response, PageError> {
    let form = UserForm {
        id: id.to_string(),
        ..form
    };
    let argument = protocol::Form::new(form.clone());
    let submitted = match &*form.button {
        "disable" => ctx.submit(disable_user(argument)).await?,
        "enable" => ctx.submit(enable_user(argument)).await?,
        _ => ctx.submit(change_role(argument)).await?,
    };
    match submitted {
        Submission::Redirect(response) => Ok(response),
        Submission::Rerender(feedback) => page(&ctx, &id, form.role.parse().ok(), feedback).await,
    }
}

async fn page(
    ctx: &RequestContext,
    id: &UserId,
    chosen: Option<Role>,
    feedback: FormFeedback,
) -> Result<Response, PageError> {
    let person = ctx.account().person(id).await?;
    let person = person.ok_or(PageError::NotFound)?;
    let chosen = chosen.unwrap_or(person.user.role);
    let title = person.user.email.clone();
    let page = Page::new(&title, Section::Users)
        .with_islands()
        .with_status(feedback.status);
    let (is_self, now, headers) = (person.user.id == ctx.user.id, ctx.now, feedback.headers());
    let page = ctx.render_page(page, || {
        view! { <UserScreen person chosen is_self feedback now/> }.into_any()
    });
    Ok((headers, page).into_response())
}

#[component]
fn UserScreen(
    person: Person,
    /// The role that is selected in the form.
    chosen: Role,
    /// `true` for the signed-in user.
    is_self: bool,
    feedback: FormFeedback,
    now: Timestamp,
) -> impl IntoView {
    let Person {
        user,
        account: _,
        last_sign_in_at,
        disabled_at,
    } = person;
    let last = match last_sign_in_at {
        Some(at) => view! { "Last signed in at "<ExactTime at now/>"." }.into_any(),
        None => view! { "Never signed in." }.into_any(),
    };
    let id = user.id.clone();
    let (page, user_id) = (paths::user(&id), id.to_string());
    let role_user_id = user_id.clone();
    let access = match disabled_at {
        None => view! {
            <p class="quiet">
                "Disabling ends all sessions of this user immediately and blocks sign-in. The audit log keeps their entries, \
                 and you can enable them again."
            </p>
            <ActionForm page=page.clone() function=DisableUser::PATH>
                <input type="hidden" name="id" value=user_id.clone()/>
                <button class="button button--danger" type="submit" name="do" value="disable">"Disable"</button>
            </ActionForm>
        }
        .into_any(),
        Some(at) => view! {
            <p class="quiet">"Disabled at "<ExactTime at now/>". Once enabled, this user can sign in with the same password as before."</p>
            <ActionForm page=page.clone() function=EnableUser::PATH>
                <input type="hidden" name="id" value=user_id.clone()/>
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
                    <span class="address">{user.email}</span><UserBadge is_active=disabled_at.is_none()/>
                </h1>
                <p class="heading__text">{is_self.then_some("This is you. ")}{last}</p>
            </div>
        </div>
        <section class="card section" aria-labelledby="role">
            <h2 id="role">"Permissions"</h2>
            <ActionForm
                class="section__form"
                page=page.clone()
                function=ChangeRole::PATH
                notice=(&feedback).into()
            >
                <input type="hidden" name="id" value=role_user_id/>
                <RoleChoice chosen/>
                <p><button class="button button--primary" type="submit">"Save"</button></p>
            </ActionForm>
        </section>
        <section class="card section" aria-labelledby="access">
            <h2 id="access">"Sign-in"</h2>
            {access}
        </section>
    }
}
