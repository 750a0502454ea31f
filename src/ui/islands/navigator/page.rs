//! Fetches pages and shows them in the current document, with history entries.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use leptos::{
    prelude::*,
    task::spawn_local,
    web_sys::{AbortController, Document, Element, Event, Headers, HtmlElement, RequestInit, Response},
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::{dialog, morph};
use crate::ui::islands::dom::PAGE_CHANGED;

const PAGE_TIMEOUT: Duration = Duration::from_secs(45);

/// Effect of a navigation on the history.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum HistoryEntry {
    Push,
    Replace,
    /// The URL is already the current history entry.
    Keep,
    /// A filter is being typed. All its URLs share one history entry.
    Typing,
}

/// State of the navigation.
pub struct Navigation {
    /// URL of the page that is shown (path and query).
    current: RefCell<String>,
    /// URL of the latest request.
    requested: RefCell<String>,
    /// Number of the latest request. Responses to older requests are dropped.
    sequence: Cell<u32>,
    /// True if the latest history entry belongs to a filter that is being typed.
    typing: Cell<bool>,
    /// Aborts the request in flight.
    in_flight: RefCell<Option<AbortController>>,
}

impl Navigation {
    /// The page has its own URL in `data-address`, because the location of the browser can already differ: the user may go
    /// back before the script has loaded.
    pub fn new() -> Rc<Self> {
        let shown = main().and_then(|main| main.get_attribute("data-address"));
        let shown = shown.unwrap_or_else(location);
        Rc::new(Self {
            current: RefCell::new(shown.clone()),
            requested: RefCell::new(shown),
            sequence: Cell::default(),
            typing: Cell::default(),
            in_flight: RefCell::default(),
        })
    }

    pub fn is_current(&self, url: &str) -> bool {
        path(&self.current.borrow()) == path(url)
    }

    /// Navigates to a URL. Navigation to the current URL adds no history entry.
    pub fn navigate(self: &Rc<Self>, url: String, entry: HistoryEntry) {
        let same = *self.current.borrow() == url;
        let entry = if same && entry == HistoryEntry::Push {
            HistoryEntry::Replace
        } else {
            entry
        };
        let this = Rc::clone(self);
        spawn_local(async move {
            this.load(&url, entry).await;
        });
    }

    /// Reloads the current page in place.
    pub fn refresh(self: &Rc<Self>) {
        self.navigate(location(), HistoryEntry::Keep);
    }

    /// Closes the dialog over the list with this URL, and refreshes the list.
    pub fn close_dialog(self: &Rc<Self>, url: &str, entry: HistoryEntry) {
        dialog::close();
        self.set_url(url, entry);
        self.refresh();
    }

    /// Sets the URL of the page that is shown.
    pub fn set_url(&self, url: &str, entry: HistoryEntry) {
        update_history(url, entry);
        self.current.replace(url.to_owned());
        self.requested.replace(url.to_owned());
    }

    /// Handles “Back” and “Forward”.
    pub fn on_popstate(self: &Rc<Self>) {
        let url = location();
        if *self.requested.borrow() == url {
            // Only the fragment has changed.
            return;
        }
        if dialog::may_leave() {
            if dialog::open().is_some() && list().as_ref() == Some(&url) {
                self.close_dialog(&url, HistoryEntry::Keep);
            } else {
                self.navigate(url, HistoryEntry::Keep);
            }
        } else {
            update_history(&self.current.borrow(), HistoryEntry::Push);
        }
    }

    /// Fetches and shows a page. On failure, announces it and returns `false`.
    pub async fn load(&self, url: &str, entry: HistoryEntry) -> bool {
        let sequence = self.sequence.get() + 1;
        self.sequence.set(sequence);
        self.requested.replace(url.to_owned());
        let controller = AbortController::new().ok();
        if let Some(previous) = self.in_flight.replace(controller.clone()) {
            previous.abort();
        }
        if let Some(controller) = controller.clone() {
            set_timeout(move || controller.abort(), PAGE_TIMEOUT);
        }
        let page = fetch(url, controller.as_ref()).await;
        if self.sequence.get() != sequence {
            // A newer request has replaced this one.
            return true;
        }
        match page {
            Some(FetchedPage { url, html }) => {
                // Decided after the response, because an earlier request of the filter may have been dropped and have no
                // history entry.
                let typing = entry == HistoryEntry::Typing;
                let entry = match entry {
                    HistoryEntry::Typing if self.typing.get() => HistoryEntry::Replace,
                    HistoryEntry::Typing => HistoryEntry::Push,
                    entry => entry,
                };
                self.typing.set(typing);
                let is_other_page = !self.is_current(&url);
                self.set_url(&url, entry);
                show(&html, is_other_page).is_some()
            }
            None => {
                self.requested.replace(self.current.borrow().clone());
                announce("Caleida did not respond. Check your connection and try again.");
                false
            }
        }
    }
}

struct FetchedPage {
    /// URL after redirects (path and query).
    url: String,
    html: String,
}

/// Fetches a page. Returns `None` on a network or server error, and if the browser loads the response itself.
async fn fetch(url: &str, controller: Option<&AbortController>) -> Option<FetchedPage> {
    let (request, headers) = (RequestInit::new(), Headers::new().ok()?);
    if let Some(list) = list() {
        headers.set("caleida-shown", &list).ok()?;
    }
    request.set_headers(&headers);
    request.set_signal(controller.map(AbortController::signal).as_ref());
    let sent = window().fetch_with_str_and_init(url, &request);
    let response: Response = JsFuture::from(sent).await.ok()?.dyn_into().ok()?;
    let reached = response.url();
    let reached = reached
        .strip_prefix(&window().location().origin().ok()?)?
        .to_owned();
    let is_page = response
        .headers()
        .get("content-type")
        .ok()??
        .starts_with("text/html");
    if path(&reached) == "/login" || !is_page {
        // The sign-in page and files cannot be shown in place.
        let _ = window().location().assign(&reached);
        return None;
    }
    if response.status() >= 500 {
        return None;
    }
    let html = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    Some(FetchedPage { url: reached, html })
}

/// Updates the document to match a page.
fn show(html: &str, is_other_page: bool) -> Option<()> {
    let parsed = morph::parse(html)?;
    if has_new_script(&parsed) {
        window().location().reload().ok()?;
        return Some(());
    }
    let page = document();
    let added = morph::morph_element(&page.document_element()?, &parsed.document_element()?);
    let _ = page.dispatch_event(&Event::new(PAGE_CHANGED).ok()?);
    // Applies `autofocus` as if the page was loaded. A new dialog takes the focus and remembers the previous element, so
    // the focus must not move before. A closed dialog has already returned the focus.
    let nothing_focused = page
        .active_element()
        .is_none_or(|active| active.tag_name() == "BODY");
    let target = match dialog::open() {
        Some(dialog) if !dialog.matches(":modal").ok()? => None,
        Some(dialog) if is_other_page => dialog.query_selector("[autofocus]").ok()?,
        _ if nothing_focused => page.query_selector("[autofocus]").ok()?,
        _ => None,
    };
    if let Some(target) = target.and_then(|target| target.dyn_into::<HtmlElement>().ok()) {
        let _ = target.focus();
    }
    morph::start_islands(&added);
    Some(())
}

/// Returns whether the page needs another version of the script. The running islands may not fit its markup.
fn has_new_script(parsed: &Document) -> bool {
    let script = |page: &Document| {
        let preload = page.query_selector("link[rel=modulepreload]").ok().flatten()?;
        preload.get_attribute("href")
    };
    script(parsed).is_some_and(|new| Some(new) != script(&document()))
}

fn update_history(url: &str, entry: HistoryEntry) {
    let Ok(history) = window().history() else { return };
    let _ = match entry {
        HistoryEntry::Push | HistoryEntry::Typing => {
            history.push_state_with_url(&JsValue::NULL, "", Some(url))
        }
        HistoryEntry::Replace => history.replace_state_with_url(&JsValue::NULL, "", Some(url)),
        HistoryEntry::Keep => Ok(()),
    };
}

/// Shows an error in the status line of the shell, which screen readers announce.
pub fn announce(text: &str) {
    let Some(line) = main().and_then(|main| main.query_selector(".flashes").ok().flatten()) else {
        return;
    };
    if let Ok(message) = document().create_element("p") {
        message.set_class_name("flash flash--bad");
        message.set_text_content(Some(text));
        line.replace_children_with_node_1(&message);
    }
}

/// Returns the URL of the list that is shown, also under a dialog.
fn list() -> Option<String> {
    main()?.get_attribute("data-list")
}

fn main() -> Option<Element> {
    document().get_element_by_id("main")
}

fn location() -> String {
    let location = window().location();
    location.pathname().unwrap_or_default() + &location.search().unwrap_or_default()
}

fn path(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
