//! The signature check. It requires JavaScript, so that the secret never leaves the browser.

use leptos::prelude::*;

use crate::ui::{islands::signature_check::SignatureCheck, paths};

#[component]
pub fn CheckSection() -> impl IntoView {
    view! {
        <section class="card guide" id="check" aria-labelledby="check-title">
            <h2 id="check-title">"Check a signature"</h2>
            <p>
                "Paste a call that your receiver rejects to see which checks pass and which fail. The headers and the body \
                 of each delivery are in the "<a href=paths::DELIVERIES>"delivery log"</a>"."
            </p>
            // Without a form and without field names, so that the browser cannot submit the secret.
            <div class="check" hidden=true>
                <div class="field">
                    <label for="check-headers">"Headers"</label>
                    <textarea
                        id="check-headers"
                        class="code"
                        rows="4"
                        spellcheck="false"
                        autocomplete="off"
                        aria-describedby="check-headers-hint"
                    ></textarea>
                    <p class="field__hint" id="check-headers-hint">
                        "The three webhook-… headers, one per line. Other headers are ignored."
                    </p>
                </div>
                <div class="field">
                    <label for="check-body">"Body"</label>
                    <textarea id="check-body" class="code" rows="6" spellcheck="false" autocomplete="off"></textarea>
                </div>
                <div class="field">
                    <label for="check-secret">"Secret"</label>
                    <div class="check__secret">
                        <input
                            id="check-secret"
                            class="code"
                            type="password"
                            spellcheck="false"
                            autocomplete="off"
                            aria-describedby="check-secret-error check-secret-hint"
                        />
                        <button class="button check__show" type="button">"Show"</button>
                    </div>
                    <p class="field__error" id="check-secret-error"></p>
                    <p class="field__hint" id="check-secret-hint">
                        "Used only in your browser. It is never sent."
                    </p>
                </div>
                <p><button class="button check__example" type="button">"Fill in an example"</button></p>
                <p class="check__verdict" role="status"></p>
                <div class="check__details"></div>
                <SignatureCheck/>
            </div>
            <noscript>
                <p class="notice notice--warning">
                    "This check requires JavaScript: it runs in your browser, so that your secret never leaves it. Without \
                     JavaScript, use "<code>"caleida verify"</code>" on your own machine."
                </p>
            </noscript>
        </section>
    }
}
