//! The optional settings of a webhook.

use leptos::prelude::*;
use strum::VariantArray;

use crate::{
    domain::{
        custom_header::CustomHeaders,
        filter::{Condition, Filter, Operator},
    },
    ui::{components::code::CodeBlock, paths},
};

#[component]
pub fn OptionsSection() -> impl IntoView {
    let operators = Operator::VARIANTS.iter().map(|&operator| {
        view! {
            <tr>
                <th scope="row"><code>{operator.as_str()}</code></th>
                <td>{operator.words()}</td>
                <td>{meaning(operator)}</td>
            </tr>
        }
    });
    view! {
        <section class="card guide" id="options" aria-labelledby="options-title">
            <h2 id="options-title">"Advanced settings"</h2>
            <p>
                "Each webhook has optional settings, below “Advanced” in its dialog and in "
                <a href=paths::API_DOCS>"the API"</a>
                ". A change applies from the next attempt or event on."
            </p>
            <h3>"Headers"</h3>
            <p>
                {format!(
                    "Up to {} headers that every call has, for example “Authorization” for a gateway in front of your receiver. \
                     Their values are encrypted and can be replaced, but never read again. Where a response repeats them, the \
                     delivery log shows “[redacted]”.",
                    CustomHeaders::MAX_COUNT,
                )}
            </p>
            <h3>"Filter"</h3>
            <p>
                {format!(
                    "Up to {} conditions on the data of an event, combined by “all” or “any”, also in groups. Only events that \
                     meet them are sent. The preview tries the filter with your last 200 events, and the page of each event \
                     names the condition that excluded it.",
                    Filter::MAX_CONDITIONS,
                )}
            </p>
            <CodeBlock label="Example filter" text=EXAMPLE.to_owned()/>
            <table class="plain guide__retries">
                <thead>
                    <tr>
                        <th scope="col">"API"</th>
                        <th scope="col">"Dashboard"</th>
                        <th scope="col">"True if the field"</th>
                    </tr>
                </thead>
                <tbody>{operators.collect_view()}</tbody>
            </table>
            <ul class="guide__steps">
                <li>
                    "A field is a path into "<code>"data"</code>", such as "<code>"topics.0.name"</code>
                    ". A number addresses an element of an array."
                </li>
                <li>
                    "Numbers are compared exactly, with all their digits: "<code>"1"</code>" equals "<code>"1.0"</code>
                    ". Values of different types are not equal, and text is compared with its case."
                </li>
                <li>
                    "A missing field is not "<code>"null"</code>": it meets only “does not exist” and “is not”."
                </li>
                <li>
                    "“Recover” of missed events respects the filter. “Resend”, and “Recover” of failed deliveries, send \
                     deliveries that have passed it before."
                </li>
            </ul>
            <h3>"Rate limit"</h3>
            <p>
                "The maximum number of calls per second, from 1 to 1,000, of all Caleida processes together. What exceeds it \
                 waits and is sent evenly. In any second there may be a tenth more, and at least one more."
            </p>
            <h3>"Timeout and retries"</h3>
            <p>
                "A timeout from 1 to 30 seconds, and the retries: standard (the schedule below), short (5 attempts within an \
                 hour) or none. A "<code>"Retry-After"</code>" of your receiver extends the delay in any case."
            </p>
        </section>
    }
}

const EXAMPLE: &str = r#"{
  "all": [
    {"field": "sentiment", "op": "in", "value": ["negative", "neutral"]},
    {"any": [
      {"field": "score", "op": "lt", "value": -0.5},
      {"field": "trend", "op": "eq", "value": "worsening"}
    ]}
  ]
}"#;

fn meaning(operator: Operator) -> String {
    match operator {
        Operator::Eq => "has this value".to_owned(),
        Operator::Ne => "does not have this value, or is missing".to_owned(),
        Operator::In => format!("has one of these values, at most {}", Condition::MAX_VALUES),
        Operator::Contains => {
            "is a text that contains this text, or an array with an element of this value".to_owned()
        }
        Operator::Gt => "is a number above this one".to_owned(),
        Operator::Lt => "is a number below this one".to_owned(),
        Operator::Exists => "is there, even if it is null".to_owned(),
        Operator::Missing => "is not there".to_owned(),
    }
}
