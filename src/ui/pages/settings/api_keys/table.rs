//! The table of API keys.

use leptos::prelude::*;

use crate::{
    domain::Timestamp,
    store::{ApiKeyRow, KeyState},
    ui::{
        components::{
            badge::KeyBadge,
            time_ago::{TimeAgo, exact, relative},
        },
        paths,
        request::zone::use_zone,
    },
};

/// The roles are explicit because browsers drop the table semantics of elements with a grid layout.
#[component]
pub fn Table(keys: Vec<ApiKeyRow>, closed_dialog: Option<String>, now: Timestamp) -> impl IntoView {
    let rows = keys.into_iter().map(|row| {
        let focused = closed_dialog.as_deref() == Some(&*paths::revoke(&row.key.id));
        view! { <Row row focused now/> }
    });
    view! {
        <table class="table table--keys" role="table">
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader" scope="col">"Key"</th>
                    <th role="columnheader" scope="col">"Scopes"</th>
                    <th role="columnheader" scope="col">"Created"</th>
                    <th role="columnheader" scope="col">"Last used"</th>
                    <th role="columnheader" scope="col">"Status"</th>
                    <th role="columnheader" scope="col"><span class="unseen">"Revoke"</span></th>
                </tr>
            </thead>
            <tbody role="rowgroup">{rows.collect_view()}</tbody>
        </table>
    }
}

#[component]
fn Row(row: ApiKeyRow, focused: bool, now: Timestamp) -> impl IntoView {
    let state = row.state(now);
    let ApiKeyRow {
        key,
        created_at,
        created_by,
        last_used_at,
        revoked_at,
    } = row;
    let name_id = format!("name-{}", key.id);
    let scopes = key
        .scopes
        .into_iter()
        .map(|scope| view! { <code class="event">{scope}</code>" " });
    let last_used = match last_used_at {
        Some(at) => view! { <TimeAgo at now/> }.into_any(),
        None => view! { <span class="quiet">"Never"</span> }.into_any(),
    };
    let zone = use_zone();
    let until = match (state, revoked_at, key.expires_at) {
        (KeyState::Revoked, Some(at), _) => Some((relative(at, now, &zone), at)),
        (KeyState::Active, _, Some(at)) => Some((format!("Expires {}", relative(at, now, &zone)), at)),
        (KeyState::Expired, _, Some(at)) => Some((relative(at, now, &zone), at)),
        _ => None,
    };
    let until = match until {
        Some((text, at)) => {
            view! { <time class="badge__reason" datetime=at.rfc3339() title=exact(at, &zone)>{text}</time> }
                .into_any()
        }
        None => view! { <span class="badge__reason">"Never expires"</span> }.into_any(),
    };
    let revoke = (state != KeyState::Revoked).then(|| {
        view! { <a href=paths::revoke(&key.id) aria-describedby=name_id.clone() autofocus=focused data-soft>"Revoke"</a> }
    });
    view! {
        <tr id=format!("row-{}", key.id) role="row" class="row">
            <th role="rowheader" scope="row" class="key__name">
                <span class="key__title" id=name_id>{key.name}</span>
                <code class="key__prefix">{format!("{}…", key.prefix)}</code>
            </th>
            <td role="cell" class="key__scopes">{scopes.collect_view()}</td>
            <td role="cell" class="key__made"><TimeAgo at=created_at now/><span class="quiet key__by">"by "{created_by.to_string()}</span></td>
            <td role="cell" class="key__used">{last_used}</td>
            <td role="cell" class="key__state"><KeyBadge state/>{until}</td>
            <td role="cell" class="row__more">{revoke}</td>
        </tr>
    }
}
