//! `/settings/time-zone`: in which zone times are shown, for those whose browser does not say it, or says another one.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;
use url::form_urlencoded;

use crate::{
    domain::Timestamp,
    ui::{
        components::{select::Select, time_ago::Moment},
        cookie::keep,
        flash::Flash,
        form::Posted,
        local_path::LocalPath,
        paths,
        render::Page,
        shell::Section,
        visit::Visit,
        zone::{CHOSEN, Origin, Zone, use_zone},
    },
};

pub async fn show(visit: Visit) -> Response {
    let mut fields = form_urlencoded::parse(visit.query.as_bytes());
    let back = fields.find(|(name, _)| name == "return");
    let back = back.and_then(|(_, path)| LocalPath::parse(&path));
    let back = back.map_or_else(|| paths::LIST.to_owned(), |path| path.as_str().to_owned());
    let now = visit.now;
    let page = Page::new("Time zone", Section::Account);
    visit.page(page, || view! { <ZoneScreen back now/> }.into_any())
}

/// Keeps the choice for a year. What is no zone takes it back, as “as the browser says” does.
pub async fn choose(visit: Visit, form: Posted) -> Response {
    let zone = Zone::parse(form.text("zone"), Origin::Chosen);
    let (kept, message) = match &zone {
        Some(zone) => (zone.name(), format!("Times are shown in {}.", zone.name())),
        None => (
            "",
            "Times are shown in the zone that your browser says.".to_owned(),
        ),
    };
    let cookie = keep(CHOSEN, kept);
    Flash::plain(message).leave(&visit.session).await;
    let back = LocalPath::parse(form.text("return"));
    let back = back.as_ref().map_or(paths::LIST, LocalPath::as_str);
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, back), (header::SET_COOKIE, cookie.as_str())],
    )
        .into_response()
}

#[component]
fn ZoneScreen(back: String, now: Timestamp) -> impl IntoView {
    let zone = use_zone();
    let chosen = if zone.origin == Origin::Chosen {
        zone.name()
    } else {
        ""
    };
    let as_the_browser_says = (String::new(), "As the browser says".to_owned());
    let zones = Zone::names()
        .into_iter()
        .map(|name| (name.clone(), name.replace('_', " ")));
    let choices = std::iter::once(as_the_browser_says).chain(zones).collect();
    let known = match zone.origin {
        Origin::Unknown => "Your browser has not said in which zone it is, so times are shown in UTC.",
        Origin::Browser => "Times are shown in the zone that your browser says.",
        Origin::Chosen => "Times are shown in the zone that you have chosen, in this browser.",
    };
    view! {
        <div class="heading">
            <div>
                <h1>"Time zone"</h1>
                <p class="heading__text">{known}" Now it is "<Moment at=now now/>"."</p>
            </div>
        </div>
        <form class="card settings__form" method="post" action=paths::TIME_ZONE>
            <input type="hidden" name="return" value=back/>
            <Select id="zone" name="zone" label="Time zone" choices chosen/>
            <button class="button button--primary" type="submit">"Save"</button>
        </form>
    }
}
