//! Inviting people, and changing what they may do.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::{refusal::Reason, serve::visit},
    crate::{
        auth::invites::VALID,
        domain::{Email, InviteId, Role, UserId},
        store::{Changed, Invited, Person},
        ui::{
            components::invite_link::InviteLink,
            layout::fragment::Fragment,
            paths,
            request::{flash::Flash, visit::Visit},
            words::with_article,
        },
    },
    zeroize::Zeroizing,
};

use super::{
    outcome::Outcome,
    protocol::{Call, Form},
    refusal::Refusal,
};

/// Who is invited, and as what.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct InviteForm {
    pub email: String,
    pub role: String,
    /// Of an invite, to renew or revoke it.
    pub invite: String,
    /// Which button was pressed, in a form without JavaScript.
    #[cfg_attr(feature = "ssr", serde(rename = "do"))]
    pub button: String,
}

/// A user, and the role to give them.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct UserForm {
    pub id: String,
    pub role: String,
    /// Which button was pressed, in a form without JavaScript.
    #[cfg_attr(feature = "ssr", serde(rename = "do"))]
    pub button: String,
}

/// Makes a link by which somebody joins the account.
#[server(prefix = "/settings/actions", endpoint = "invite-user", protocol = Call, input_derive = (Clone,))]
pub async fn invite_user(form: Form<InviteForm>) -> Result<Outcome, Refusal> {
    let (visit, form) = (visit(), form.value);
    let email = Email::parse(&form.email).map_err(|error| Refusal::field("email", error.to_string()))?;
    let invited = visit
        .ui
        .auth
        .invite(&visit.context(), email.clone(), form.role())
        .await?;
    let token = invited.map_err(|why| {
        let error = match why {
            Invited::Already => format!("{email} was invited already: make a new link in the list above."),
            Invited::Disabled => format!("{email} is disabled: enable them instead."),
            Invited::Member | Invited::Done => format!("{email} belongs to this account already."),
        };
        Refusal::field("email", error)
    })?;
    Ok(shown_link(&visit, email.to_string(), &token))
}

/// Makes a new link for an invite; the one before stops working.
#[server(prefix = "/settings/actions", endpoint = "renew-invite", protocol = Call, input_derive = (Clone,))]
pub async fn renew_invite(form: Form<InviteForm>) -> Result<Outcome, Refusal> {
    let visit = visit();
    let renewed = visit
        .ui
        .auth
        .renew_invite(&visit.context(), &form.value.invite()?)
        .await?;
    let (invite, token) = renewed.ok_or_else(Refusal::not_found)?;
    Ok(shown_link(&visit, invite.email, &token))
}

/// Revokes an invite: its link stops working.
#[server(prefix = "/settings/actions", endpoint = "revoke-invite", protocol = Call, input_derive = (Clone,))]
pub async fn revoke_invite(form: Form<InviteForm>) -> Result<Outcome, Refusal> {
    let visit = visit();
    let revoked = visit
        .ui
        .people
        .revoke_invite(&visit.context(), &form.value.invite()?)
        .await?;
    let invite = revoked.ok_or_else(Refusal::not_found)?;
    let flash = Flash::plain(format!("The invite for {} was revoked.", invite.email));
    Ok(visit.done(flash, paths::USERS).await)
}

/// Gives a user another role.
#[server(prefix = "/settings/actions", endpoint = "change-role", protocol = Call, input_derive = (Clone,))]
pub async fn change_role(form: Form<UserForm>) -> Result<Outcome, Refusal> {
    let (visit, form) = (visit(), form.value);
    let person = form.person(&visit).await?;
    let role: Role = form.role.parse().unwrap_or(person.user.role);
    let changed = visit
        .ui
        .people
        .change_role(&visit.context(), &person.user.id, role)
        .await?;
    changed_or_refused(changed, &person)?;
    let flash = Flash::plain(format!("{} is {} now.", person.user.email, with_article(role)));
    // Only admins see the users.
    let demoted = person.user.id == visit.user.id && role < Role::Admin;
    let next = if demoted { paths::ACCOUNT } else { paths::USERS };
    Ok(visit.done(flash, next).await)
}

/// Signs a user out everywhere, and lets them in no more.
#[server(prefix = "/settings/actions", endpoint = "disable-user", protocol = Call, input_derive = (Clone,))]
pub async fn disable_user(form: Form<UserForm>) -> Result<Outcome, Refusal> {
    let visit = visit();
    let person = form.value.person(&visit).await?;
    let disabled = visit.ui.people.disable(&visit.context(), &person.user.id).await?;
    changed_or_refused(disabled, &person)?;
    if person.user.id == visit.user.id {
        // They have just signed themselves out.
        return Ok(Outcome::to(paths::LOGIN));
    }
    let flash = Flash::plain(format!("{} was disabled and signed out.", person.user.email));
    Ok(visit.done(flash, paths::USERS).await)
}

/// Lets a disabled user in again.
#[server(prefix = "/settings/actions", endpoint = "enable-user", protocol = Call, input_derive = (Clone,))]
pub async fn enable_user(form: Form<UserForm>) -> Result<Outcome, Refusal> {
    let visit = visit();
    let person = form.value.person(&visit).await?;
    visit.ui.people.enable(&visit.context(), &person.user.id).await?;
    let flash = Flash::plain(format!("{} may sign in again.", person.user.email));
    Ok(visit.done(flash, paths::USERS).await)
}

#[cfg(feature = "ssr")]
fn shown_link(visit: &Visit, email: String, token: &str) -> Outcome {
    let url = Zeroizing::new(paths::invite_link(&visit.ui.public_url, token));
    let (expires_at, now) = (visit.now.plus(VALID), visit.now);
    let part = Fragment::render(
        &visit.preferences.zone,
        || view! { <InviteLink email url expires_at now/> },
    );
    Outcome {
        part: Some(part),
        ..Outcome::to(paths::USERS)
    }
}

/// An account without an admin could not help itself any more.
#[cfg(feature = "ssr")]
fn changed_or_refused(changed: Changed, person: &Person) -> Result<(), Refusal> {
    match changed {
        Changed::Done => Ok(()),
        Changed::NotFound => Err(Refusal::not_found()),
        Changed::LastAdmin => Err(Refusal::because(
            Reason::LastAdmin,
            format!(
                "{} is the last active admin of this account. Make somebody else an admin first.",
                person.user.email
            ),
        )),
    }
}

#[cfg(feature = "ssr")]
impl InviteForm {
    /// The least that somebody can be given, unless another one was chosen.
    pub fn role(&self) -> Role {
        self.role.parse().unwrap_or(Role::Viewer)
    }

    fn invite(&self) -> Result<InviteId, Refusal> {
        self.invite.parse().map_err(|_| Refusal::not_found())
    }
}

#[cfg(feature = "ssr")]
impl UserForm {
    async fn person(&self, visit: &Visit) -> Result<Person, Refusal> {
        let id: UserId = self.id.parse().map_err(|_| Refusal::not_found())?;
        let person = visit.account().person(&id).await?;
        person.ok_or_else(Refusal::not_found)
    }
}
