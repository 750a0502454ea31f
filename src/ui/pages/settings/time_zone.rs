//! `/settings/time-zone`: the time zone in which times are shown, if it is not the one of the browser.

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
            serve::{Submission, local_path_or},
        },
        components::{form::ActionForm, select::Select, time_ago::ExactTime},
        layout::{document::Page, shell::Section},
        paths,
        request::{
            context::RequestContext,
            form::Form,
            zone::{Zone, ZoneSource, use_zone},
        },
    },
};

pub async fn show(ctx: RequestContext, Query(form): Query<PreferencesForm>) -> Response {
    page(&ctx, &form)
}

pub async fn choose(ctx: RequestContext, Form(form): Form<PreferencesForm>) -> Result<Response, PageError> {
    Ok(
        match ctx
            .submit(set_time_zone(protocol::Form::new(form.clone())))
            .await?
        {
            Submission::Redirect(response) => response,
            Submission::Rerender(_) => page(&ctx, &form),
        },
    )
}

fn page(ctx: &RequestContext, form: &PreferencesForm) -> Response {
    let back = local_path_or(&form.back, paths::LIST);
    let now = ctx.now;
    let page = Page::new("Time zone", Section::Account).with_islands();
    ctx.render_page(page, || view! { <ZoneScreen back now/> }.into_any())
}

#[component]
fn ZoneScreen(back: String, now: Timestamp) -> impl IntoView {
    let zone = use_zone();
    let chosen = if zone.source == ZoneSource::Chosen {
        zone.name().to_owned()
    } else {
        String::new()
    };
    let browser_default = (String::new(), "Browser time zone".to_owned());
    let zones = Zone::names()
        .into_iter()
        .map(|name| (name.clone(), name.replace('_', " ")));
    let choices = std::iter::once(browser_default).chain(zones).collect();
    let explanation = match zone.source {
        ZoneSource::Unknown => "Your browser has not reported its time zone, so times are shown in UTC.",
        ZoneSource::Browser => "Times are shown in the time zone of your browser.",
        ZoneSource::Chosen => "Times are shown in the time zone that you chose in this browser.",
    };
    view! {
        <div class="heading">
            <div>
                <h1>"Time zone"</h1>
                <p class="heading__text">{explanation}" The current time is "<ExactTime at=now now/>"."</p>
            </div>
        </div>
        <ActionForm class="card settings__form" page=paths::TIME_ZONE function=SetTimeZone::PATH>
            <input type="hidden" name="back" value=back/>
            <Select id="zone" name="zone" label="Time zone" choices chosen/>
            <button class="button button--primary" type="submit">"Save"</button>
        </ActionForm>
    }
}
