//! From a view to an answer: the document around it, and the headers that every page has.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use leptos::{
    nonce::{Nonce, provide_nonce, use_nonce},
    prelude::*,
};

use super::{
    markers,
    shell::{Covered, Section, Shell},
};
use crate::ui::{
    Site,
    islands::zone_keeper::ZoneKeeper,
    request::{preferences::Preferences, theme::Theme, visit::Visit, zone::Origin},
};

/// What the shell and the browser's title bar say of a page, and how it is delivered.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    title: &'a str,
    section: Section,
    status: StatusCode,
    scripts: Scripts,
    caching: Caching,
}

impl<'a> Page<'a> {
    pub const fn new(title: &'a str, section: Section) -> Self {
        Self {
            title,
            section,
            status: StatusCode::OK,
            scripts: Scripts::None,
            caching: Caching::Revalidate,
        }
    }

    pub const fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// With islands, which need the script.
    pub const fn with_islands(self) -> Self {
        Self {
            scripts: Scripts::Islands,
            ..self
        }
    }

    /// With a secret, or with what somebody typed: no cache keeps it.
    pub const fn with_secrets(self) -> Self {
        Self {
            caching: Caching::Never,
            ..self
        }
    }
}

impl Visit {
    /// A page in the shell. If it needs no script, it loads none.
    pub fn page(&self, page: Page<'_>, content: impl FnOnce() -> AnyView) -> Response {
        self.shell(page, Covered::No, None, content, || ().into_any())
    }

    /// A page whose forms and links change it without loading it again. `list` is its address, by which
    /// [`page_over`](Self::page_over) knows that the browser shows it already.
    pub fn list_page(&self, page: Page<'_>, list: String, content: impl FnOnce() -> AnyView) -> Response {
        self.shell(page.with_islands(), Covered::No, Some(list), content, || {
            ().into_any()
        })
    }

    /// A dialog over a list. What is under it can be seen, but neither clicked nor reached with the keyboard, with or
    /// without JavaScript.
    pub fn page_over(
        &self,
        page: Page<'_>,
        list: String,
        content: impl FnOnce() -> AnyView,
        dialog: impl FnOnce() -> AnyView,
    ) -> Response {
        let covered = match &self.shown {
            None => Covered::Inert,
            Some(_) if self.shows(&list) => Covered::Kept,
            // A script makes the dialog a modal one, and the browser what is under it inert.
            Some(_) => Covered::No,
        };
        self.shell(
            page.with_islands().with_secrets(),
            covered,
            Some(list),
            content,
            dialog,
        )
    }

    /// Whether the browser shows this list already.
    pub fn shows(&self, list: &str) -> bool {
        self.shown.as_deref() == Some(list)
    }

    fn shell(
        &self,
        page: Page<'_>,
        covered: Covered,
        list: Option<String>,
        content: impl FnOnce() -> AnyView,
        dialog: impl FnOnce() -> AnyView,
    ) -> Response {
        // Until the browser has said in which zone it is.
        let scripts = if self.preferences.zone.origin == Origin::Unknown {
            Scripts::Islands
        } else {
            page.scripts
        };
        let page = Page { scripts, ..page };
        document(&self.ui.site, &self.preferences, page, || {
            let content = if covered == Covered::Kept {
                ().into_any()
            } else {
                content()
            };
            view! {
                <Shell visit=self section=page.section content list covered/>
                {dialog()}
            }
            .into_any()
        })
    }
}

/// A page without the shell, for those who are not signed in. It runs the islands, which learn the zone before the
/// first page that has times.
pub fn bare(
    site: &Site,
    preferences: &Preferences,
    title: &str,
    status: StatusCode,
    content: impl FnOnce() -> AnyView,
) -> Response {
    let page = Page::new(title, Section::None)
        .with_status(status)
        .with_islands()
        .with_secrets();
    document(site, preferences, page, || {
        view! { {content()}<ZoneKeeper/> }.into_any()
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scripts {
    None,
    Islands,
}

/// Whether a browser may keep a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caching {
    /// In its history only, for “Back”. A page that comes back from there asks for its newest state.
    Revalidate,
    Never,
}

/// Renders in one go: handlers load before they render, so there is nothing to wait for and nothing to stream.
fn document(
    site: &Site,
    preferences: &Preferences,
    page: Page<'_>,
    body: impl FnOnce() -> AnyView,
) -> Response {
    let (theme, title) = (preferences.theme, page.title);
    let owner = Owner::new_root(None);
    let (html, nonce) = owner.with(|| {
        provide_nonce();
        provide_context(preferences.zone.clone());
        let scripts = (page.scripts == Scripts::Islands).then(|| {
            let options = LeptosOptions::builder().output_name(site.script.as_str()).build();
            view! { <HydrationScripts options islands=true/> }
        });
        let color_scheme = if theme == Theme::System {
            "light dark"
        } else {
            theme.as_str()
        };
        let html = view! {
            <!DOCTYPE html>
            <html lang="en" data-theme=theme.as_str()>
                <head>
                    <meta charset="utf-8"/>
                    <meta name="viewport" content="width=device-width, initial-scale=1"/>
                    <meta name="color-scheme" content=color_scheme/>
                    <title>{format!("{title} · Caleida")}</title>
                    <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                    <link rel="stylesheet" href=format!("/pkg/{}.css", site.style)/>
                    {scripts}
                </head>
                <body>{body()}</body>
            </html>
        }
        .to_html();
        (html, use_nonce())
    });
    owner.cleanup();
    (
        page.status,
        headers(nonce.as_ref(), page.caching),
        Html(markers::strip(&html)),
    )
        .into_response()
}

/// A page is for one person at one moment, and runs nothing but our own files and the one script that has the nonce.
fn headers(nonce: Option<&Nonce>, caching: Caching) -> [(HeaderName, HeaderValue); 5] {
    let nonce = nonce.map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    [
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_str(&policy).expect("a nonce is base64"),
        ),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static(match caching {
                Caching::Revalidate => "private, no-cache",
                Caching::Never => "no-store",
            }),
        ),
        // For the HTTP cache, which browsers also read without asking when somebody goes back: after signing out, too. What
        // comes back from memory asks by itself.
        (header::VARY, HeaderValue::from_static("*")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ]
}
