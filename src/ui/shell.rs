//! What is around every screen: the mark, the navigation, who is signed in, and the message of what was just done.

use leptos::prelude::*;

use super::{
    components::{
        icon::{Glyph, Icon},
        mark::Mark,
    },
    islands::zone_keeper::ZoneKeeper,
    paths,
    render::Looks,
    theme::Theme,
    visit::Visit,
};
use crate::domain::{Role, User};

/// The entry of the navigation that a page belongs to.
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

/// `covered`: a dialog lies over it.
#[component]
pub fn Shell<'a>(
    visit: &'a Visit,
    section: Section,
    content: AnyView,
    covered: bool,
) -> impl IntoView + use<> {
    let flash = visit.flash.clone().map(|flash| {
        view! {
            <p class="flash" role="status"><Icon glyph=Glyph::Check/>{flash.message}</p>
        }
    });
    view! {
        <div class="app" inert=covered>
            <a class="skip" href="#main">"Skip to content"</a>
            <header class="bar">
                <a class="brand" href=paths::LIST><Mark/>"Caleida"</a>
                // A popover opens and closes without a script; on wide screens the same element is simply there.
                <button class="bar__menu" type="button" popovertarget="menu">
                    <Icon glyph=Glyph::Menu/>"Menu"
                </button>
                <div class="menu" id="menu" popover="auto">
                    <Navigation section role=visit.user.role/>
                    <UserMenu user=visit.user.clone() looks=visit.looks.clone() here=visit.here.clone()/>
                </div>
            </header>
            <main class="main" id="main" tabindex="-1">
                {flash}
                {content}
            </main>
            <ZoneKeeper/>
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

type Entry = (&'static str, Section, Glyph, &'static str);

const INTEGRATIONS: [Entry; 5] = [
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

/// The first is everybody's own, the others are for admins.
const SETTINGS: [Entry; 4] = [
    (paths::ACCOUNT, Section::Account, Glyph::Person, "Account"),
    (paths::API_KEYS, Section::ApiKeys, Glyph::Key, "API keys"),
    (paths::USERS, Section::Users, Glyph::People, "Users"),
    (paths::AUDIT_LOG, Section::AuditLog, Glyph::History, "Audit log"),
];

#[component]
fn Group(name: &'static str, entries: &'static [Entry], section: Section) -> impl IntoView {
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
fn UserMenu(user: User, looks: Looks, here: String) -> impl IntoView {
    let Looks { theme, zone } = looks;
    let zone_page = paths::time_zone(&here);
    let initial = user
        .email
        .chars()
        .next()
        .unwrap_or('?')
        .to_uppercase()
        .to_string();
    let themes = Theme::ALL.map(|choice| {
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
                <form class="segments" method="post" action=paths::THEME aria-label="Theme">
                    <input type="hidden" name="return" value=here/>
                    {themes.collect_view()}
                </form>
                <a class="user__entry" href=zone_page><Icon glyph=Glyph::Clock/><span class="unseen">"Time zone: "</span>{zone.name().replace('_', " ")}</a>
                <form method="post" action=paths::LOGOUT>
                    <button class="user__out" type="submit"><Icon glyph=Glyph::Exit/>"Sign out"</button>
                </form>
            </div>
        </details>
    }
}
