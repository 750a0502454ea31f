//! The sessions of the signed-in user.

use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    domain::Timestamp,
    store::UserSession,
    ui::{
        actions::account::{EndOtherSessions, EndSession},
        components::{badge::CurrentBadge, form::ActionForm, time_ago::TimeAgo},
        pages::settings::account::browser,
        paths,
    },
};

/// Each session comes with whether it is the current one.
#[component]
pub fn Sessions(sessions: Vec<(UserSession, bool)>, now: Timestamp) -> impl IntoView {
    let others = sessions.iter().any(|(_, is_current)| !is_current).then(|| {
        view! {
            <ActionForm page=paths::ACCOUNT function=EndOtherSessions::PATH>
                <button class="button" type="submit" name="do" value="end-others">"End all other sessions"</button>
            </ActionForm>
        }
    });
    let rows = sessions
        .into_iter()
        .map(|(session, is_current)| view! { <Row session is_current now/> });
    view! {
        <section class="section--open" aria-labelledby="sessions">
            <h2 id="sessions">"Sessions"</h2>
            <p class="quiet">"Browsers that are signed in to your account. If you do not recognize a session, end it and change your password."</p>
            <table class="table table--sessions" role="table" aria-labelledby="sessions">
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"Browser"</th>
                        <th role="columnheader" scope="col">"IP address"</th>
                        <th role="columnheader" scope="col">"Signed in"</th>
                        <th role="columnheader" scope="col">"Last seen"</th>
                        <th role="columnheader" scope="col"><span class="unseen">"End"</span></th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows.collect_view()}</tbody>
            </table>
            {others}
        </section>
    }
}

#[component]
fn Row(session: UserSession, is_current: bool, now: Timestamp) -> impl IntoView {
    let (id, row_id) = (format!("session-{}", session.id), format!("row-{}", session.id));
    let described = id.clone();
    // The current session ends by signing out.
    let end = if is_current {
        view! { <CurrentBadge/> }.into_any()
    } else {
        view! {
            <ActionForm page=paths::ACCOUNT function=EndSession::PATH>
                <input type="hidden" name="do" value="end-session"/>
                <input type="hidden" name="session" value=session.id.to_string()/>
                <button class="button button--small" type="submit" aria-describedby=described>"End"</button>
            </ActionForm>
        }
        .into_any()
    };
    view! {
        <tr id=row_id role="row" class="row">
            <th role="rowheader" scope="row" class="row__name" id=id title=session.user_agent.clone()>
                <span class="address">{browser::name(&session.user_agent)}</span>
            </th>
            <td role="cell" class="row__address address">{session.address}</td>
            <td role="cell" class="row__created">
                <span class="row__label">"Signed in "</span><TimeAgo at=session.created_at now/>
            </td>
            <td role="cell" class="row__seen">
                <span class="row__label">"Last seen "</span><TimeAgo at=session.last_seen_at now/>
            </td>
            <td role="cell" class="row__forms">{end}</td>
        </tr>
    }
}
