//! From a view to an answer: the document around it, and the headers that every page has.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use leptos::{
    nonce::{Nonce, provide_nonce, use_nonce},
    prelude::*,
};

use super::{
    Site,
    islands::zone_keeper::ZoneKeeper,
    markers,
    shell::{Section, Shell},
    theme::Theme,
    visit::Visit,
    zone::{Origin, Zone},
};

/// What the shell and the browser's title bar say of a page.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    title: &'a str,
    section: Section,
    status: StatusCode,
    scripts: Scripts,
}

impl<'a> Page<'a> {
    pub const fn new(title: &'a str, section: Section) -> Self {
        Self {
            title,
            section,
            status: StatusCode::OK,
            scripts: Scripts::None,
        }
    }

    pub const fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// One with islands outside of a dialog.
    pub const fn with_islands(self) -> Self {
        Self {
            scripts: Scripts::Islands,
            ..self
        }
    }
}

impl Visit {
    /// A page in the shell. If it needs no script, it loads none.
    pub fn page(&self, page: Page<'_>, content: impl FnOnce() -> AnyView) -> Response {
        // Until the browser has said in which zone it is.
        let scripts = if self.looks.zone.origin == Origin::Unknown {
            Scripts::Islands
        } else {
            page.scripts
        };
        document(
            &self.ui.site,
            &self.looks,
            page.title,
            page.status,
            scripts,
            || view! { <Shell visit=self section=page.section content=content() covered=false/> }.into_any(),
        )
    }

    /// The same under a dialog, whose islands come alive. What is under it can be seen, but neither clicked nor reached
    /// with the keyboard, with or without a script.
    pub fn page_under(
        &self,
        page: Page<'_>,
        content: impl FnOnce() -> AnyView,
        dialog: impl FnOnce() -> AnyView,
    ) -> Response {
        document(
            &self.ui.site,
            &self.looks,
            page.title,
            page.status,
            Scripts::Islands,
            || {
                view! {
                    <Shell visit=self section=page.section content=content() covered=true/>
                    {dialog()}
                }
                .into_any()
            },
        )
    }
}

/// How somebody wants to see every page.
#[derive(Debug, Clone)]
pub struct Looks {
    pub theme: Theme,
    pub zone: Zone,
}

impl Looks {
    pub fn of(headers: &HeaderMap) -> Self {
        Self {
            theme: Theme::of(headers),
            zone: Zone::of(headers),
        }
    }
}

/// A page without the shell, for those who are not signed in. It runs the islands, which learn the zone before the
/// first page that has times.
pub fn bare(
    site: &Site,
    looks: &Looks,
    title: &str,
    status: StatusCode,
    content: impl FnOnce() -> AnyView,
) -> Response {
    document(site, looks, title, status, Scripts::Islands, || {
        view! { {content()}<ZoneKeeper/> }.into_any()
    })
}

/// A part of a page that is shown already.
pub fn fragment<V: IntoView>(zone: &Zone, content: impl FnOnce() -> V) -> String {
    let owner = Owner::new_root(None);
    let html = owner.with(|| {
        provide_context(zone.clone());
        content().into_view().to_html()
    });
    owner.cleanup();
    markers::strip(&html)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scripts {
    None,
    Islands,
}

/// Renders in one go: handlers load before they render, so there is nothing to wait for and nothing to stream.
fn document(
    site: &Site,
    looks: &Looks,
    title: &str,
    status: StatusCode,
    scripts: Scripts,
    body: impl FnOnce() -> AnyView,
) -> Response {
    let theme = looks.theme;
    let owner = Owner::new_root(None);
    let (html, nonce) = owner.with(|| {
        provide_nonce();
        provide_context(looks.zone.clone());
        let scripts = (scripts == Scripts::Islands).then(|| {
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
    (status, headers(nonce.as_ref()), Html(markers::strip(&html))).into_response()
}

/// A page is for one person at one moment, and runs nothing but our own files and the one script that has the nonce.
fn headers(nonce: Option<&Nonce>) -> [(HeaderName, HeaderValue); 4] {
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
        // With secrets on some pages, and someone else's turn at the same browser: nothing is kept.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ]
}
