//! Server functions for users and invites.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::{once::Done, refusal::Reason, serve::request_context},
    crate::{
        auth::invites::INVITE_LIFETIME,
        domain::{Email, InviteId, Role, UserId},
        store::{InviteOutcome, Person, UserChangeOutcome},
        ui::{
            components::invite_link::InviteLink,
            labels::with_article,
            layout::fragment::Fragment,
            paths,
            request::{context::RequestContext, flash::Flash},
        },
    },
    leptos::server_fn::ServerFn,
    zeroize::Zeroizing,
};

use super::{
    outcome::Outcome,
    protocol::{Form, FormProtocol},
    refusal::Refusal,
};

/// The forms for invites.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize, serde::Serialize), serde(default))]
pub struct InviteForm {
    pub email: String,
    pub role: String,
    /// ID of the invite to renew or revoke.
    pub invite: String,
    /// Token of the rendered form.
    pub submission: String,
    /// The pressed button, without JavaScript.
    #[cfg_attr(feature = "ssr", serde(rename = "do"))]
    pub button: String,
}

/// The forms for a user.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct UserForm {
    pub id: String,
    pub role: String,
    /// The pressed button, without JavaScript.
    #[cfg_attr(feature = "ssr", serde(rename = "do"))]
    pub button: String,
}

/// Creates an invite and shows its link.
#[server(prefix = "/settings/actions", endpoint = "invite-user", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn invite_user(form: Form<InviteForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let email = Email::parse(&form.email).map_err(|error| Refusal::field("email", error.to_string()))?;
    let (inviter, role) = (ctx.clone(), form.role());
    let change = async move {
        let (auth, context) = (&inviter.ui.auth, inviter.audit_context());
        let invited = auth.invite(&context, email.clone(), role).await?;
        let token = invited.map_err(|why| {
            let error = match why {
                InviteOutcome::AlreadyInvited => {
                    format!("{email} is already invited. Create a new link in the list above.")
                }
                InviteOutcome::UserDisabled => format!("{email} is disabled. Enable this user instead."),
                InviteOutcome::AlreadyMember | InviteOutcome::Created => {
                    format!("{email} already belongs to this account.")
                }
            };
            Refusal::field("email", error)
        })?;
        Ok(invite_link(&inviter, email.to_string(), &token))
    };
    ctx.once(InviteUser::PATH, &form.submission, &form, change).await
}

/// Replaces the link of an invite. The previous link stops working.
#[server(prefix = "/settings/actions", endpoint = "renew-invite", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn renew_invite(form: Form<InviteForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let (inviter, id) = (ctx.clone(), form.invite()?);
    let change = async move {
        let (auth, context) = (&inviter.ui.auth, inviter.audit_context());
        let renewed = auth.renew_invite(&context, &id).await?;
        let (invite, token) = renewed.ok_or_else(Refusal::not_found)?;
        Ok(invite_link(&inviter, invite.email, &token))
    };
    ctx.once(RenewInvite::PATH, &form.submission, &form, change).await
}

/// Revokes an invite. Its link stops working.
#[server(prefix = "/settings/actions", endpoint = "revoke-invite", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn revoke_invite(form: Form<InviteForm>) -> Result<Outcome, Refusal> {
    let ctx = request_context();
    let revoked = ctx
        .ui
        .people
        .revoke_invite(&ctx.audit_context(), &form.value.invite()?)
        .await?;
    let invite = revoked.ok_or_else(Refusal::not_found)?;
    let flash = Flash::message(format!("The invite for {} was revoked.", invite.email));
    Ok(ctx.redirect_with_flash(flash, paths::USERS).await)
}

/// Changes the role of a user.
#[server(prefix = "/settings/actions", endpoint = "change-role", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn change_role(form: Form<UserForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let person = form.person(&ctx).await?;
    let role: Role = form.role.parse().unwrap_or(person.user.role);
    let changed = ctx
        .ui
        .people
        .change_role(&ctx.audit_context(), &person.user.id, role)
        .await?;
    check_changed(changed, &person)?;
    let flash = Flash::message(format!("{} is now {}.", person.user.email, with_article(role)));
    // Only admins may open the list of users.
    let demoted = person.user.id == ctx.user.id && role < Role::Admin;
    let next = if demoted { paths::ACCOUNT } else { paths::USERS };
    Ok(ctx.redirect_with_flash(flash, next).await)
}

/// Disables a user and ends all sessions of the user.
#[server(prefix = "/settings/actions", endpoint = "disable-user", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn disable_user(form: Form<UserForm>) -> Result<Outcome, Refusal> {
    let ctx = request_context();
    let person = form.value.person(&ctx).await?;
    let disabled = ctx
        .ui
        .people
        .disable(&ctx.audit_context(), &person.user.id)
        .await?;
    check_changed(disabled, &person)?;
    if person.user.id == ctx.user.id {
        // This also ended the current session.
        return Ok(Outcome::to(paths::LOGIN));
    }
    let flash = Flash::message(format!("{} was disabled and signed out.", person.user.email));
    Ok(ctx.redirect_with_flash(flash, paths::USERS).await)
}

/// Enables a disabled user.
#[server(prefix = "/settings/actions", endpoint = "enable-user", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn enable_user(form: Form<UserForm>) -> Result<Outcome, Refusal> {
    let ctx = request_context();
    let person = form.value.person(&ctx).await?;
    ctx.ui
        .people
        .enable(&ctx.audit_context(), &person.user.id)
        .await?;
    let flash = Flash::message(format!("{} can sign in again.", person.user.email));
    Ok(ctx.redirect_with_flash(flash, paths::USERS).await)
}

#[cfg(feature = "ssr")]
fn invite_link(ctx: &RequestContext, email: String, token: &str) -> Done {
    let url = Zeroizing::new(paths::invite_link(&ctx.public_url, token));
    let (expires_at, now) = (ctx.now.plus(INVITE_LIFETIME), ctx.now);
    let part = Fragment::render(
        &ctx.preferences.zone,
        || view! { <InviteLink email url expires_at now/> },
    );
    Done::part(part, Some(paths::USERS))
}

/// Returns an error if the change was not made. An account always keeps an active admin.
#[cfg(feature = "ssr")]
fn check_changed(changed: UserChangeOutcome, person: &Person) -> Result<(), Refusal> {
    match changed {
        UserChangeOutcome::Done => Ok(()),
        UserChangeOutcome::NotFound => Err(Refusal::not_found()),
        UserChangeOutcome::LastAdmin => Err(Refusal::with_message(
            Reason::LastAdmin,
            format!(
                "{} is the last active admin of this account. Make another user an admin first.",
                person.user.email
            ),
        )),
    }
}

#[cfg(feature = "ssr")]
impl InviteForm {
    /// Returns the chosen role. Defaults to the role with the fewest permissions.
    pub fn role(&self) -> Role {
        self.role.parse().unwrap_or(Role::Viewer)
    }

    fn invite(&self) -> Result<InviteId, Refusal> {
        self.invite.parse().map_err(|_| Refusal::not_found())
    }
}

#[cfg(feature = "ssr")]
impl UserForm {
    async fn person(&self, ctx: &RequestContext) -> Result<Person, Refusal> {
        let id: UserId = self.id.parse().map_err(|_| Refusal::not_found())?;
        let person = ctx.account().person(&id).await?;
        person.ok_or_else(Refusal::not_found)
    }
}
