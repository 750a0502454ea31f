//! `/settings/account`: one's own email, password and sessions.

mod browser;
mod sessions;

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use self::sessions::Sessions;
use crate::{
    auth::{
        SignInError,
        password::{self, NewPassword},
    },
    domain::{SessionId, Timestamp, User},
    store::UserSession,
    ui::{
        PageError,
        components::{count::counted, field::TextField, time_ago::span},
        flash::Flash,
        form::Posted,
        paths,
        render::Page,
        shell::Section,
        visit::Visit,
    },
};

/// What was wrong with the passwords that were typed; they are typed anew.
#[derive(Default)]
struct Refused {
    old: Option<String>,
    new: Option<String>,
}

pub async fn show(visit: Visit) -> Result<Response, PageError> {
    answer(&visit, StatusCode::OK, Refused::default()).await
}

pub async fn change_password(visit: Visit, posted: Posted) -> Result<Response, PageError> {
    let new = match NewPassword::parse(posted.text("new")) {
        Ok(new) => new,
        Err(error) => {
            let refused = Refused {
                new: Some(error.to_string()),
                ..Refused::default()
            };
            return answer(&visit, StatusCode::UNPROCESSABLE_ENTITY, refused).await;
        }
    };
    let changed = visit
        .ui
        .auth
        .change_password(
            &visit.session,
            &visit.act(),
            &visit.user,
            posted.text("old"),
            &new,
            &visit.client,
        )
        .await;
    let refused = |old: String| Refused {
        old: Some(old),
        new: None,
    };
    match changed {
        Ok(()) => {
            let flash = Flash::plain("Your password was changed. Your other sessions have ended.".to_owned());
            Ok(visit.leave(flash, paths::ACCOUNT).await)
        }
        Err(SignInError::Wrong) => {
            let refused = refused("This is not your password.".to_owned());
            answer(&visit, StatusCode::UNPROCESSABLE_ENTITY, refused).await
        }
        Err(SignInError::TooMany { retry_after }) => {
            let refused = refused(format!("Too many attempts. Try again in {}.", span(retry_after)));
            let page = answer(&visit, StatusCode::TOO_MANY_REQUESTS, refused).await?;
            let seconds = retry_after.as_secs().max(1).to_string();
            Ok(([(header::RETRY_AFTER, seconds)], page).into_response())
        }
        Err(SignInError::Unavailable(error)) => Err(error.into()),
    }
}

pub async fn end_session(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let id: SessionId = id.parse().map_err(|_| PageError::NotFound)?;
    let ended = visit
        .ui
        .store
        .end_session(&visit.act(), &visit.user.id, &id)
        .await?;
    if !ended {
        return Err(PageError::NotFound);
    }
    let flash = Flash::plain("The session was ended.".to_owned());
    Ok(visit.leave(flash, paths::ACCOUNT).await)
}

pub async fn end_other_sessions(visit: Visit) -> Result<Response, PageError> {
    let auth = &visit.ui.auth;
    let ended = auth
        .end_other_sessions(&visit.act(), &visit.user, &visit.session)
        .await?;
    let message = match ended {
        0 => "There was no other session.".to_owned(),
        n => format!("{} ended.", counted(n, "session was", "sessions were")),
    };
    Ok(visit.leave(Flash::plain(message), paths::ACCOUNT).await)
}

/// People come here by GET when they had to sign in again before the form went through.
pub async fn instead(_: Visit) -> Redirect {
    Redirect::to(paths::ACCOUNT)
}

async fn answer(visit: &Visit, status: StatusCode, refused: Refused) -> Result<Response, PageError> {
    let sessions = visit.ui.auth.sessions(&visit.user, &visit.session).await?;
    let page = Page::new("Account", Section::Account).with_status(status);
    let (user, now) = (visit.user.clone(), visit.now);
    Ok(visit.page(page, || {
        view! { <AccountScreen user refused sessions now/> }.into_any()
    }))
}

#[component]
fn AccountScreen(
    user: User,
    refused: Refused,
    sessions: Vec<(UserSession, bool)>,
    now: Timestamp,
) -> impl IntoView {
    view! {
        <div class="heading">
            <div>
                <h1>"Account"</h1>
                <p class="heading__text">
                    "You are signed in as "<strong>{user.email.clone()}</strong>{format!(", {}.", user.role)}
                </p>
            </div>
        </div>
        <section class="card section" aria-labelledby="password">
            <h2 id="password">"Password"</h2>
            <form class="section__form" method="post" action=paths::PASSWORD novalidate>
                // For password managers: whose password it is.
                <input type="hidden" name="username" value=user.email autocomplete="username"/>
                <TextField
                    id="old"
                    label="Current password"
                    kind="password"
                    value=""
                    autocomplete="current-password"
                    focus=refused.old.is_some()
                    error=refused.old
                />
                <TextField
                    id="new"
                    label="New password"
                    kind="password"
                    value=""
                    autocomplete="new-password"
                    hint=format!("At least {} characters. Your other sessions end.", password::MIN_LENGTH)
                    focus=refused.new.is_some()
                    error=refused.new
                />
                <p><button class="button button--primary" type="submit">"Change password"</button></p>
            </form>
        </section>
        <Sessions sessions now/>
    }
}
