//! The shell around each page: logo, navigation, user menu and flash message.

use leptos::{prelude::*, server_fn::ServerFn};
use strum::VariantArray;

use crate::{
    domain::{Role, User},
    ui::{
        actions::preferences::SetTheme,
        components::{
            form::ActionForm,
            icon::{Glyph, Icon},
            logo::Logo,
        },
        islands::{navigator::Navigator, time_zone_cookie::TimeZoneCookie},
        paths,
        request::{context::RequestContext, preferences::Preferences, theme::Theme},
    },
};

/// The navigation entry of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Webhooks,
    Deliveries,
    Events,
    EventTypes,
    Guide,
    Account,
    ApiKeys,
    Users,
    AuditLog,
    None,
}

/// Rendering of the content under a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentMode {
    Interactive,
    /// Blocks clicks and keyboard focus, for browsers without JavaScript.
    Inert,
    /// Left out, because the browser already shows it.
    Omitted,
}

/// The shell. `list` is the URL of the content if dialogs open over it.
#[component]
pub fn Shell<'a>(
    ctx: &'a RequestContext,
    section: Section,
    content: AnyView,
    list: Option<String>,
    content_mode: ContentMode,
) -> impl IntoView + use<> {
    let flash = ctx.flash.clone().map(|flash| {
        view! {
            <p class="flash"><Icon glyph=Glyph::Check/>{flash.message}</p>
        }
    });
    view! {
        <div class="app" inert=content_mode == ContentMode::Inert>
            <a class="skip" href="#main">"Skip to content"</a>
            <header class="bar">
                <a class="brand" href=paths::LIST><Logo/>"Caleida"</a>
                // A popover needs no JavaScript. On wide screens, CSS shows the same element permanently.
                <button class="bar__menu" type="button" popovertarget="menu">
                    <Icon glyph=Glyph::Menu/>"Menu"
                </button>
                <div class="menu" id="menu" popover="auto">
                    <Navigation section role=ctx.user.role/>
                    <UserMenu user=ctx.user.clone() preferences=ctx.preferences.clone() path_and_query=ctx.path_and_query.clone()/>
                </div>
            </header>
            <main
                class="main"
                id="main"
                tabindex="-1"
                data-address=ctx.path_and_query.clone()
                data-list=list
                data-kept=content_mode == ContentMode::Omitted
            >
                // Always rendered, because screen readers announce only changes in an existing live region.
                <div class="flashes" role="status">{flash}</div>
                {content}
            </main>
            <TimeZoneCookie/>
            <Navigator/>
        </div>
    }
}

#[component]
fn Navigation(section: Section, role: Role) -> impl IntoView {
    let settings = if role == Role::Admin {
        &SETTINGS[..]
    } else {
        &SETTINGS[..1]
    };
    view! {
        <nav class="navigation" aria-label="Main">
            <Group name="Integrations" entries=&INTEGRATIONS section/>
            <Group name="Settings" entries=settings section/>
        </nav>
    }
}

type NavEntry = (&'static str, Section, Glyph, &'static str);

const INTEGRATIONS: [NavEntry; 5] = [
    (paths::LIST, Section::Webhooks, Glyph::Webhook, "Webhook"),
    (
        paths::DELIVERIES,
        Section::Deliveries,
        Glyph::Deliveries,
        "Deliveries",
    ),
    (paths::EVENTS, Section::Events, Glyph::Bolt, "Events"),
    (
        paths::EVENT_TYPES,
        Section::EventTypes,
        Glyph::Book,
        "Event types",
    ),
    (paths::GUIDE, Section::Guide, Glyph::Guide, "Guide"),
];

/// The first entry is for all users, the others are for admins.
const SETTINGS: [NavEntry; 4] = [
    (paths::ACCOUNT, Section::Account, Glyph::Person, "Account"),
    (paths::API_KEYS, Section::ApiKeys, Glyph::Key, "API keys"),
    (paths::USERS, Section::Users, Glyph::People, "Users"),
    (paths::AUDIT_LOG, Section::AuditLog, Glyph::History, "Audit log"),
];

#[component]
fn Group(name: &'static str, entries: &'static [NavEntry], section: Section) -> impl IntoView {
    let entries = entries.iter().map(|&(href, entry, glyph, label)| {
        let current = (section == entry).then_some("page");
        view! { <li><a href=href aria-current=current><Icon glyph/>{label}</a></li> }
    });
    view! {
        <p class="navigation__group">{name}</p>
        <ul>{entries.collect_view()}</ul>
    }
}

#[component]
fn UserMenu(user: User, preferences: Preferences, path_and_query: String) -> impl IntoView {
    let Preferences { theme, zone } = preferences;
    let zone_page = paths::time_zone(&path_and_query);
    let initial = user
        .email
        .chars()
        .next()
        .unwrap_or('?')
        .to_uppercase()
        .to_string();
    let themes = Theme::VARIANTS.iter().map(move |&choice| {
        view! {
            <button
                type="submit"
                name="theme"
                value=choice.as_str()
                aria-pressed=if choice == theme { "true" } else { "false" }
            >
                {choice.label()}
            </button>
        }
    });
    view! {
        <details class="user">
            <summary>
                <span class="user__initial" aria-hidden="true">{initial}</span>
                <span class="user__who">
                    <span class="user__email">{user.email}</span>
                    <span class="user__role">{user.role.as_str()}</span>
                </span>
                <Icon glyph=Glyph::UpDown/>
            </summary>
            <div class="user__panel">
                <ActionForm class="segments" page=paths::THEME function=SetTheme::PATH label="Theme">
                    <input type="hidden" name="back" value=path_and_query/>
                    {themes.collect_view()}
                </ActionForm>
                <a class="user__entry" href=zone_page><Icon glyph=Glyph::Clock/><span class="unseen">"Time zone: "</span>{zone.name().replace('_', " ")}</a>
                <form method="post" action=paths::LOGOUT>
                    <button class="user__out" type="submit"><Icon glyph=Glyph::Exit/>"Sign out"</button>
                </form>
            </div>
        </details>
    }
}
