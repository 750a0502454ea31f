//! `/settings/time-zone`: in which zone times are shown, for those whose browser does not say it, or says another one.

use axum::response::Response;
use axum_extra::extract::Query;
use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    domain::Timestamp,
    ui::{
        PageError,
        actions::{
            preferences::{PreferencesForm, SetTimeZone, set_time_zone},
            protocol,
            serve::{Submitted, back_to},
        },
        components::{form::ActionForm, select::Select, time_ago::Moment},
        layout::{document::Page, shell::Section},
        paths,
        request::{
            form::Form,
            visit::Visit,
            zone::{Origin, Zone, use_zone},
        },
    },
};

pub async fn show(visit: Visit, Query(form): Query<PreferencesForm>) -> Response {
    page(&visit, &form)
}

pub async fn choose(visit: Visit, Form(form): Form<PreferencesForm>) -> Result<Response, PageError> {
    Ok(
        match visit
            .submit(set_time_zone(protocol::Form::of(form.clone())))
            .await?
        {
            Submitted::Done(response) => response,
            Submitted::Again(_) => page(&visit, &form),
        },
    )
}

fn page(visit: &Visit, form: &PreferencesForm) -> Response {
    let back = back_to(&form.back, paths::LIST);
    let now = visit.now;
    let page = Page::new("Time zone", Section::Account).with_islands();
    visit.page(page, || view! { <ZoneScreen back now/> }.into_any())
}

#[component]
fn ZoneScreen(back: String, now: Timestamp) -> impl IntoView {
    let zone = use_zone();
    let chosen = if zone.origin == Origin::Chosen {
        zone.name().to_owned()
    } else {
        String::new()
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
        <ActionForm class="card settings__form" page=paths::TIME_ZONE function=SetTimeZone::PATH>
            <input type="hidden" name="back" value=back/>
            <Select id="zone" name="zone" label="Time zone" choices chosen/>
            <button class="button button--primary" type="submit">"Save"</button>
        </ActionForm>
    }
}
