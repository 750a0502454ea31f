//! From one address to the next on the page that is there.

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
use crate::ui::islands::dom::CHANGED;

/// After which a page is no longer waited for.
const PATIENCE: Duration = Duration::from_secs(45);

/// What an address becomes in the browser's history.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    Push,
    Replace,
    /// It is there already.
    Keep,
    /// Of what is being typed: all of it is one entry.
    Typed,
}

/// Where the browser is, and where it is going.
pub struct Navigation {
    /// Path and query of the page that is shown.
    here: RefCell<String>,
    /// The same of the page that was asked for last.
    asked: RefCell<String>,
    /// Counts what was asked for: only the newest answer is shown.
    ticket: Cell<u32>,
    /// Whether the newest entry of the history stands for what is being typed.
    typing: Cell<bool>,
    /// Cancels what was asked for before.
    under_way: RefCell<Option<AbortController>>,
}

impl Navigation {
    /// The address in the browser may be another one already: “Back” was pressed before the script had loaded.
    pub fn new() -> Rc<Self> {
        let shown = main().and_then(|main| main.get_attribute("data-address"));
        let shown = shown.unwrap_or_else(location);
        Rc::new(Self {
            here: RefCell::new(shown.clone()),
            asked: RefCell::new(shown),
            ticket: Cell::default(),
            typing: Cell::default(),
            under_way: RefCell::default(),
        })
    }

    pub fn is_here(&self, address: &str) -> bool {
        path(&self.here.borrow()) == path(address)
    }

    /// Shows another address. The same one again is no other entry of the history.
    pub fn visit(self: &Rc<Self>, address: String, entry: Entry) {
        let same = *self.here.borrow() == address;
        let entry = if same && entry == Entry::Push {
            Entry::Replace
        } else {
            entry
        };
        let this = Rc::clone(self);
        spawn_local(async move {
            this.go(&address, entry).await;
        });
    }

    /// Shows the newest state of the page.
    pub fn refresh(self: &Rc<Self>) {
        self.visit(location(), Entry::Keep);
    }

    /// Closes the dialog over the list with this address: at once, since the list is there, and then with its newest state.
    pub fn uncover(self: &Rc<Self>, address: &str, entry: Entry) {
        dialog::close();
        self.show_as(address, entry);
        self.refresh();
    }

    /// What is shown has this address.
    pub fn show_as(&self, address: &str, entry: Entry) {
        remember(address, entry);
        self.here.replace(address.to_owned());
        self.asked.replace(address.to_owned());
    }

    /// “Back” or “Forward” was pressed.
    pub fn popped(self: &Rc<Self>) {
        let address = location();
        if *self.asked.borrow() == address {
            // Only the fragment has changed.
            return;
        }
        if dialog::may_leave() {
            if dialog::open().is_some() && list().as_ref() == Some(&address) {
                self.uncover(&address, Entry::Keep);
            } else {
                self.visit(address, Entry::Keep);
            }
        } else {
            remember(&self.here.borrow(), Entry::Push);
        }
    }

    /// Whether the address could be shown; if not, the page says so.
    pub async fn go(&self, address: &str, entry: Entry) -> bool {
        let ticket = self.ticket.get() + 1;
        self.ticket.set(ticket);
        self.asked.replace(address.to_owned());
        let controller = AbortController::new().ok();
        if let Some(before) = self.under_way.replace(controller.clone()) {
            before.abort();
        }
        if let Some(controller) = controller.clone() {
            set_timeout(move || controller.abort(), PATIENCE);
        }
        let answer = fetch(address, controller.as_ref()).await;
        if self.ticket.get() != ticket {
            // Something else was asked for meanwhile.
            return true;
        }
        match answer {
            Some(Answer { address, html }) => {
                // Only now: what was typed before may have been overtaken, and not be in the history.
                let typed = entry == Entry::Typed;
                let entry = match entry {
                    Entry::Typed if self.typing.get() => Entry::Replace,
                    Entry::Typed => Entry::Push,
                    entry => entry,
                };
                self.typing.set(typed);
                let is_another = !self.is_here(&address);
                self.show_as(&address, entry);
                show(&html, is_another).is_some()
            }
            None => {
                self.asked.replace(self.here.borrow().clone());
                announce("Caleida did not answer. Check your connection and try again.");
                false
            }
        }
    }
}

struct Answer {
    /// Path and query, after redirects.
    address: String,
    html: String,
}

/// `None` if there is no answer, or none that is worth more than the page that is there.
async fn fetch(address: &str, controller: Option<&AbortController>) -> Option<Answer> {
    let (request, headers) = (RequestInit::new(), Headers::new().ok()?);
    if let Some(list) = list() {
        headers.set("caleida-shown", &list).ok()?;
    }
    request.set_headers(&headers);
    request.set_signal(controller.map(AbortController::signal).as_ref());
    let sent = window().fetch_with_str_and_init(address, &request);
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
        // Another kind of page: the browser loads it.
        let _ = window().location().assign(&reached);
        return None;
    }
    if response.status() >= 500 {
        return None;
    }
    let html = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    Some(Answer {
        address: reached,
        html,
    })
}

/// Makes the page like another one, or like a newer state of the same.
fn show(html: &str, is_another: bool) -> Option<()> {
    let parsed = morph::parse(html)?;
    if is_newer(&parsed) {
        window().location().reload().ok()?;
        return Some(());
    }
    let page = document();
    let added = morph::element(&page.document_element()?, &parsed.document_element()?);
    let _ = page.dispatch_event(&Event::new(CHANGED).ok()?);
    // As when a page is loaded. A dialog that opens takes the focus by itself, and remembers what had it: so it is not
    // moved before. A dialog that closes has given it back already.
    let nowhere = page
        .active_element()
        .is_none_or(|active| active.tag_name() == "BODY");
    let wanted = match dialog::open() {
        Some(dialog) if !dialog.matches(":modal").ok()? => None,
        Some(dialog) if is_another => dialog.query_selector("[autofocus]").ok()?,
        _ if nowhere => page.query_selector("[autofocus]").ok()?,
        _ => None,
    };
    if let Some(wanted) = wanted.and_then(|wanted| wanted.dyn_into::<HtmlElement>().ok()) {
        let _ = wanted.focus();
    }
    morph::start_islands(&added);
    Some(())
}

/// Whether the server has another version of the script than runs here: its islands may be others.
fn is_newer(parsed: &Document) -> bool {
    let script = |page: &Document| {
        let preload = page.query_selector("link[rel=modulepreload]").ok().flatten()?;
        preload.get_attribute("href")
    };
    script(parsed).is_some_and(|theirs| Some(theirs) != script(&document()))
}

fn remember(address: &str, entry: Entry) {
    let Ok(history) = window().history() else { return };
    let _ = match entry {
        Entry::Push | Entry::Typed => history.push_state_with_url(&JsValue::NULL, "", Some(address)),
        Entry::Replace => history.replace_state_with_url(&JsValue::NULL, "", Some(address)),
        Entry::Keep => Ok(()),
    };
}

/// Says it in the shell's status line, which is announced.
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

/// The address of the list that is shown, also under a dialog.
fn list() -> Option<String> {
    main()?.get_attribute("data-list")
}

fn main() -> Option<Element> {
    document().get_element_by_id("main")
}

fn location() -> String {
    let here = window().location();
    here.pathname().unwrap_or_default() + &here.search().unwrap_or_default()
}

fn path(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}
