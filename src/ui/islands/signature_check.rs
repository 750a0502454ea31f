//! Says of a call which checks pass and which fail, with the code that signs. It runs in the browser, so the secret that
//! is pasted into it stays there.

// Only the browser asks for them; everywhere else they are tested.
#[cfg(any(feature = "hydrate", test))]
mod pasted;
#[cfg(any(feature = "hydrate", test))]
mod report;

use leptos::prelude::*;

/// Brings the fields of the `.check` around it to life.
#[island]
pub fn SignatureCheck() -> impl IntoView {
    let place = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    place.on_load(|place| {
        if let Some(check) = super::dom::around(&place, ".check") {
            let _ = browser::start(&check);
        }
    });
    view! { <span node_ref=place hidden></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use js_sys::Date;
    use leptos::{
        prelude::{document, window},
        web_sys::{Element, HtmlInputElement, HtmlTextAreaElement},
    };
    use wasm_bindgen::JsCast;

    use crate::{
        domain::{Secret, Timestamp, signature::sign},
        ui::islands::{
            dom::listen,
            field::{input, set_error},
            signature_check::report::{Mark, Report},
        },
    };

    #[derive(Clone)]
    struct Check {
        headers: HtmlTextAreaElement,
        body: HtmlTextAreaElement,
        secret: HtmlInputElement,
        /// Spoken when it changes.
        verdict: Element,
        details: Element,
    }

    pub fn start(around: &Element) -> Option<()> {
        let find = |selector| -> Option<Element> { around.query_selector(selector).ok().flatten() };
        let (shower, example) = (find(".check__show")?, find(".check__example")?);
        let text = |selector| find(selector)?.dyn_into().ok();
        let check = Check {
            headers: text("#check-headers")?,
            body: text("#check-body")?,
            secret: input(around, "#check-secret")?,
            verdict: find(".check__verdict")?,
            details: find(".check__details")?,
        };
        listen(around, "input", {
            let check = check.clone();
            move |_| check.judge()
        });
        listen(&shower, "click", {
            let secret = check.secret.clone();
            move |event| {
                let hidden = secret.type_() == "password";
                secret.set_type(if hidden { "text" } else { "password" });
                if let Some(button) = event
                    .target()
                    .and_then(|target| target.dyn_into::<Element>().ok())
                {
                    button.set_text_content(Some(if hidden { "Hide" } else { "Show" }));
                }
            }
        });
        listen(&example, "click", move |_| {
            let _ = check.fill_in();
        });
        around.remove_attribute("hidden").ok()
    }

    impl Check {
        fn judge(&self) {
            let secret = self.secret.value();
            let error = Secret::parse(&secret).err().filter(|_| !secret.trim().is_empty());
            set_error(&self.secret, error.map(|error| error.to_string()).as_deref());
            let report = Report::of(&self.headers.value(), &self.body.value(), &secret, now());
            self.verdict
                .set_text_content(report.as_ref().map(|report| report.verdict));
            self.details.set_text_content(None);
            if let Some(report) = report {
                let _ = show(&report, &self.details);
            }
        }

        /// A good call, with a secret that nobody uses.
        fn fill_in(&self) -> Option<()> {
            let mut random = [0; Secret::GENERATED];
            let crypto = window().crypto().ok()?;
            crypto.get_random_values_with_u8_array(&mut random).ok()?;
            let secret = Secret::from_random(random);
            let (id, sent, body) = ("evt_example", now().as_secs(), r#"{"type":"chat","data":{}}"#);
            let signature = sign(id, sent, body.as_bytes(), [&secret]);
            self.headers.set_value(&format!(
                "webhook-id: {id}\nwebhook-timestamp: {sent}\nwebhook-signature: {signature}"
            ));
            self.body.set_value(body);
            self.secret.set_value(secret.reveal());
            self.judge();
            Some(())
        }
    }

    fn show(report: &Report, place: &Element) -> Option<()> {
        if let Some(hint) = report.hint {
            add(place, "p", "remedy", hint)?;
        }
        let list = add(place, "ul", "check__list", "")?;
        for (mark, text) in &report.checks {
            let entry = add(&list, "li", "", "")?;
            let (class, word) = match mark {
                Mark::Passes => ("badge badge--good", "Passes"),
                Mark::Fails => ("badge badge--bad", "Fails"),
                Mark::Skipped => ("badge badge--quiet", "Skipped"),
            };
            add(&entry, "span", class, word)?;
            add(&entry, "span", "", text)?;
        }
        add(place, "h3", "", "The bytes that are signed")?;
        let signed = add(place, "pre", "inert", &report.signed)?;
        for (name, value) in [
            ("tabindex", "0"),
            ("role", "region"),
            ("aria-label", "The bytes that are signed"),
        ] {
            signed.set_attribute(name, value).ok()?;
        }
        Some(())
    }

    fn add(place: &Element, tag: &str, class: &str, text: &str) -> Option<Element> {
        let element = document().create_element(tag).ok()?;
        element.set_class_name(class);
        element.set_text_content(Some(text));
        place.append_child(&element).ok()?;
        Some(element)
    }

    fn now() -> Timestamp {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds since 1970 are whole and far below 2^53"
        )]
        Timestamp::from_millis(Date::now() as i64)
    }
}
