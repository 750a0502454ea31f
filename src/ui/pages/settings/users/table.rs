//! The table of users, followed by the open invites.

use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    domain::Timestamp,
    store::{Invite, Person},
    ui::{
        actions::users::{RenewInvite, RevokeInvite},
        components::{
            badge::{InviteBadge, UserBadge},
            form::{ActionForm, SubmissionToken},
            time_ago::{TimeAgo, relative},
        },
        labels::Label,
        paths,
        request::zone::use_zone,
    },
};

/// The roles are explicit because browsers drop the table semantics of elements with a grid layout.
#[component]
pub fn Table(people: Vec<Person>, invites: Vec<Invite>, now: Timestamp) -> impl IntoView {
    let people = people
        .into_iter()
        .map(|person| view! { <UserTableRow person now/> });
    let invites = invites
        .into_iter()
        .map(|invite| view! { <InviteTableRow invite now/> });
    view! {
        <table class="table table--users" role="table" aria-label="Users">
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader" scope="col">"Email"</th>
                    <th role="columnheader" scope="col">"Role"</th>
                    <th role="columnheader" scope="col">"Status"</th>
                    <th role="columnheader" scope="col">"Last sign-in"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">{people.collect_view()}{invites.collect_view()}</tbody>
        </table>
    }
}

/// The link is on the email. The style sheet stretches it over the whole row.
#[component]
fn UserTableRow(person: Person, now: Timestamp) -> impl IntoView {
    let last = match person.last_sign_in_at {
        Some(at) => view! { <TimeAgo at now/> }.into_any(),
        None => view! { <span class="quiet">"Never"</span> }.into_any(),
    };
    let is_active = person.disabled_at.is_none();
    view! {
        <tr id=format!("row-{}", person.user.id) role="row" class="row">
            <th role="rowheader" scope="row" class="row__name">
                <a class="row__link" href=paths::user(&person.user.id)>{person.user.email}</a>
            </th>
            <td role="cell" class="row__role">{person.user.role.label()}</td>
            <td role="cell" class="row__status"><UserBadge is_active/></td>
            <td role="cell" class="row__seen">{last}</td>
        </tr>
    }
}

#[component]
fn InviteTableRow(invite: Invite, now: Timestamp) -> impl IntoView {
    let zone = use_zone();
    let expired = invite.expires_at <= now;
    let until = if expired {
        format!("The link expired {}.", relative(invite.expires_at, now, &zone))
    } else {
        format!("The link expires {}.", relative(invite.expires_at, now, &zone))
    };
    let id = format!("invite-{}", invite.id);
    let (renew_label_id, revoke_label_id) = (id.clone(), id.clone());
    let (renew_id, revoke_id) = (invite.id.to_string(), invite.id.to_string());
    view! {
        <tr id=format!("row-{}", invite.id) role="row" class="row">
            <th role="rowheader" scope="row" class="row__name">
                <span class="address" id=id>{invite.email}</span>
                <span class="row__url">
                    {format!("Invited by {} ", invite.created_by)}<TimeAgo at=invite.created_at now/>". "{until}
                </span>
            </th>
            <td role="cell" class="row__role">{invite.role.label()}</td>
            <td role="cell" class="row__status"><InviteBadge expired/></td>
            <td role="cell" class="row__seen row__forms">
                <ActionForm page=paths::USERS function=RenewInvite::PATH>
                    <input type="hidden" name="invite" value=renew_id/>
                    <SubmissionToken/>
                    <button class="button button--small" type="submit" name="do" value="renew" aria-describedby=renew_label_id>
                        "New link"
                    </button>
                </ActionForm>
                <ActionForm page=paths::USERS function=RevokeInvite::PATH>
                    <input type="hidden" name="invite" value=revoke_id/>
                    <button
                        class="button button--small button--danger"
                        type="submit"
                        name="do"
                        value="revoke"
                        aria-describedby=revoke_label_id
                    >
                        "Revoke"
                    </button>
                </ActionForm>
            </td>
        </tr>
    }
}
