//! Verifies the signature of a pasted call and shows the result of each check. Runs in the browser, so the secret is never
//! sent to the server.

// Used only in the browser. Compiled elsewhere for tests.
#[cfg(any(feature = "hydrate", test))]
mod pasted;
#[cfg(any(feature = "hydrate", test))]
mod report;

use leptos::prelude::*;

/// Runs the check for the fields in the closest `.check` element.
#[island]
pub fn SignatureCheck() -> impl IntoView {
    let node = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    node.on_load(|node| {
        if let Some(check) = super::dom::closest(&node, ".check") {
            let _ = browser::start(&check);
        }
    });
    view! { <span node_ref=node hidden></span> }
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
            field::{find_input, set_error},
            signature_check::report::{CheckStatus, Report},
        },
    };

    #[derive(Clone)]
    struct CheckForm {
        headers: HtmlTextAreaElement,
        body: HtmlTextAreaElement,
        secret: HtmlInputElement,
        /// Live region, announced on changes.
        verdict: Element,
        details: Element,
    }

    pub fn start(root: &Element) -> Option<()> {
        let find = |selector| -> Option<Element> { root.query_selector(selector).ok().flatten() };
        let (show_button, example_button) = (find(".check__show")?, find(".check__example")?);
        let text = |selector| find(selector)?.dyn_into().ok();
        let form = CheckForm {
            headers: text("#check-headers")?,
            body: text("#check-body")?,
            secret: find_input(root, "#check-secret")?,
            verdict: find(".check__verdict")?,
            details: find(".check__details")?,
        };
        listen(root, "input", {
            let form = form.clone();
            move |_| form.verify()
        });
        listen(&show_button, "click", {
            let secret = form.secret.clone();
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
        listen(&example_button, "click", move |_| {
            let _ = form.fill_in_example();
        });
        root.remove_attribute("hidden").ok()
    }

    impl CheckForm {
        /// Verifies the signature and shows the report.
        fn verify(&self) {
            let secret = self.secret.value();
            let error = Secret::parse(&secret).err().filter(|_| !secret.trim().is_empty());
            set_error(&self.secret, error.map(|error| error.to_string()).as_deref());
            let report = Report::new(&self.headers.value(), &self.body.value(), &secret, now());
            self.verdict
                .set_text_content(report.as_ref().map(|report| report.verdict));
            self.details.set_text_content(None);
            if let Some(report) = report {
                let _ = show(&report, &self.details);
            }
        }

        /// Fills in a valid call, signed with a random secret.
        fn fill_in_example(&self) -> Option<()> {
            let mut random = [0; Secret::GENERATED_LENGTH];
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
            self.verify();
            Some(())
        }
    }

    fn show(report: &Report, parent: &Element) -> Option<()> {
        if let Some(hint) = report.hint {
            add(parent, "p", "remedy", hint)?;
        }
        let list = add(parent, "ul", "check__list", "")?;
        for (status, text) in &report.checks {
            let entry = add(&list, "li", "", "")?;
            let (class, label) = match status {
                CheckStatus::Passes => ("badge badge--good", "Passes"),
                CheckStatus::Fails => ("badge badge--bad", "Fails"),
                CheckStatus::Skipped => ("badge badge--quiet", "Skipped"),
            };
            add(&entry, "span", class, label)?;
            add(&entry, "span", "", text)?;
        }
        add(parent, "h3", "", "Signed bytes")?;
        let signed = add(parent, "pre", "inert", &report.signed)?;
        for (name, value) in [
            ("tabindex", "0"),
            ("role", "region"),
            ("aria-label", "Signed bytes"),
        ] {
            signed.set_attribute(name, value).ok()?;
        }
        Some(())
    }

    fn add(parent: &Element, tag: &str, class: &str, text: &str) -> Option<Element> {
        let element = document().create_element(tag).ok()?;
        element.set_class_name(class);
        element.set_text_content(Some(text));
        parent.append_child(&element).ok()?;
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
