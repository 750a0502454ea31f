//! What is around every screen: the mark, the navigation, who is signed in, and the message of what was just done.

use leptos::{prelude::*, server_fn::ServerFn};
use strum::VariantArray;

use crate::{
    domain::{Role, User},
    ui::{
        actions::preferences::SetTheme,
        components::{
            form::ActionForm,
            icon::{Glyph, Icon},
            mark::Mark,
        },
        islands::{navigator::Navigator, zone_keeper::ZoneKeeper},
        paths,
        request::{preferences::Preferences, theme::Theme, visit::Visit},
    },
};

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

/// Whether a dialog lies over a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covered {
    No,
    /// Without JavaScript, this keeps clicks and the keyboard away.
    Inert,
    /// The browser shows it already and keeps it: there is nothing in it.
    Kept,
}

/// `list`: the address of the content, if dialogs open over it.
#[component]
pub fn Shell<'a>(
    visit: &'a Visit,
    section: Section,
    content: AnyView,
    list: Option<String>,
    covered: Covered,
) -> impl IntoView + use<> {
    let flash = visit.flash.clone().map(|flash| {
        view! {
            <p class="flash"><Icon glyph=Glyph::Check/>{flash.message}</p>
        }
    });
    view! {
        <div class="app" inert=covered == Covered::Inert>
            <a class="skip" href="#main">"Skip to content"</a>
            <header class="bar">
                <a class="brand" href=paths::LIST><Mark/>"Caleida"</a>
                // A popover opens and closes without JavaScript; on wide screens the same element is simply there.
                <button class="bar__menu" type="button" popovertarget="menu">
                    <Icon glyph=Glyph::Menu/>"Menu"
                </button>
                <div class="menu" id="menu" popover="auto">
                    <Navigation section role=visit.user.role/>
                    <UserMenu user=visit.user.clone() preferences=visit.preferences.clone() here=visit.here.clone()/>
                </div>
            </header>
            <main
                class="main"
                id="main"
                tabindex="-1"
                data-address=visit.here.clone()
                data-list=list
                data-kept=covered == Covered::Kept
            >
                // Always there: what appears in it later is announced.
                <div class="flashes" role="status">{flash}</div>
                {content}
            </main>
            <ZoneKeeper/>
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
fn UserMenu(user: User, preferences: Preferences, here: String) -> impl IntoView {
    let Preferences { theme, zone } = preferences;
    let zone_page = paths::time_zone(&here);
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
                    <input type="hidden" name="back" value=here/>
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
