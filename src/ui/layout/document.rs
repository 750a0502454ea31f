//! Renders views to responses: the HTML document and the headers of every page.

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
    shell::{ContentMode, Section, Shell},
};
use crate::ui::{
    Site,
    islands::time_zone_cookie::TimeZoneCookie,
    request::{context::RequestContext, preferences::Preferences, theme::Theme, zone::ZoneSource},
};

/// Settings of a page: title, navigation section, status, scripts and caching.
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

    /// Loads the script for islands.
    pub const fn with_islands(self) -> Self {
        Self {
            scripts: Scripts::Islands,
            ..self
        }
    }

    /// Disables caching. For pages with secrets or with user input.
    pub const fn with_secrets(self) -> Self {
        Self {
            caching: Caching::Never,
            ..self
        }
    }
}

impl RequestContext {
    /// Renders a page in the shell. Loads no script, unless the page asks for islands.
    pub fn render_page(&self, page: Page<'_>, content: impl FnOnce() -> AnyView) -> Response {
        self.render_in_shell(page, ContentMode::Interactive, None, content, || ().into_any())
    }

    /// Renders a list that dialogs open over. `list` is its URL, by which [`render_dialog`](Self::render_dialog) knows
    /// whether the browser already shows the list.
    pub fn render_list_page(
        &self,
        page: Page<'_>,
        list: String,
        content: impl FnOnce() -> AnyView,
    ) -> Response {
        self.render_in_shell(
            page.with_islands(),
            ContentMode::Interactive,
            Some(list),
            content,
            || ().into_any(),
        )
    }

    /// Renders a dialog over a list. The list is visible but inert, with and without JavaScript.
    pub fn render_dialog(
        &self,
        page: Page<'_>,
        list: String,
        content: impl FnOnce() -> AnyView,
        dialog: impl FnOnce() -> AnyView,
    ) -> Response {
        let content_mode = match &self.shown_list {
            None => ContentMode::Inert,
            Some(_) if self.shows_list(&list) => ContentMode::Omitted,
            // The island `Modal` opens the dialog as modal, so the browser makes the list inert.
            Some(_) => ContentMode::Interactive,
        };
        self.render_in_shell(
            page.with_islands().with_secrets(),
            content_mode,
            Some(list),
            content,
            dialog,
        )
    }

    /// Returns whether the browser already shows this list.
    pub fn shows_list(&self, list: &str) -> bool {
        self.shown_list.as_deref() == Some(list)
    }

    fn render_in_shell(
        &self,
        page: Page<'_>,
        content_mode: ContentMode,
        list: Option<String>,
        content: impl FnOnce() -> AnyView,
        dialog: impl FnOnce() -> AnyView,
    ) -> Response {
        // Loads the script on every page until the time zone of the browser is known.
        let scripts = if self.preferences.zone.source == ZoneSource::Unknown {
            Scripts::Islands
        } else {
            page.scripts
        };
        let page = Page { scripts, ..page };
        document(&self.ui.site, &self.preferences, page, || {
            let content = if content_mode == ContentMode::Omitted {
                ().into_any()
            } else {
                content()
            };
            view! {
                <Shell ctx=self section=page.section content list content_mode/>
                {dialog()}
            }
            .into_any()
        })
    }
}

/// Renders a page without the shell, for users who are not signed in. It loads the islands, so that the time zone is
/// known before the first page that shows times.
pub fn render_bare(
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
        view! { {content()}<TimeZoneCookie/> }.into_any()
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scripts {
    None,
    Islands,
}

/// Caching policy of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caching {
    /// Only in the history, for “Back”. A page restored from there refreshes itself.
    Revalidate,
    Never,
}

/// Renders the whole document at once. Handlers load all data before they render, so there is nothing to stream.
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
                    <meta name="robots" content="noindex, nofollow"/>
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
        security_headers(nonce.as_ref(), page.caching),
        Html(markers::strip(&html)),
    )
        .into_response()
}

/// Returns the caching and security headers. A page runs only scripts of this site and the inline script with the nonce.
fn security_headers(nonce: Option<&Nonce>, caching: Caching) -> [(HeaderName, HeaderValue); 5] {
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
        // Browsers serve “Back” from the HTTP cache without revalidation, even after signing out. `Vary: *` prevents that.
        // Pages restored from the back-forward cache refresh themselves.
        (header::VARY, HeaderValue::from_static("*")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ]
}
