//! The rows of headers.

use leptos::prelude::*;

use super::{super::field::FieldError, Functions, RowButton};
use crate::{
    domain::custom_header::CustomHeaders,
    ui::actions::webhooks::{HeaderKind, HeaderRow, RowChange},
};

#[component]
pub fn HeaderRowsField(
    rows: Vec<HeaderRow>,
    saved: Vec<String>,
    error: Option<String>,
    focus: bool,
    change: Option<RowChange>,
    functions: Functions,
    readonly: bool,
) -> impl IntoView {
    let count = rows.len();
    let added = matches!(change, Some(RowChange::AddHeader(_)));
    let removed = matches!(change, Some(RowChange::RemoveHeader(_)));
    let invalid = error.is_some();
    let list = rows.into_iter().enumerate().map(|(index, row)| {
        let is_saved = row.kind == HeaderKind::Header && saved.contains(&row.name);
        let focus = (added && index + 1 == count) || (focus && index == 0);
        view! { <Row row number=index + 1 is_saved invalid focus functions readonly/> }
    });
    let list = list.collect_view();
    let buttons = (!readonly && count < CustomHeaders::MAX_COUNT).then(|| {
        view! {
            <div class="rows__buttons">
                <RowButton functions change=RowChange::AddHeader(HeaderKind::Header) text="Add header" focus=removed/>
                <RowButton functions change=RowChange::AddHeader(HeaderKind::Bearer) text="Add bearer token"/>
                <RowButton functions change=RowChange::AddHeader(HeaderKind::Basic) text="Add user and password"/>
            </div>
        }
    });
    view! {
        <fieldset class="field rows" aria-describedby="headers-error headers-hint">
            <legend>"Headers"</legend>
            <FieldError id="headers" error/>
            <p class="field__hint" id="headers-hint">
                "Sent with every call, for example to authenticate. Values are encrypted and never shown again."
            </p>
            {list}
            {buttons}
        </fieldset>
    }
}

/// The first input of the first row has the id `headers`, so that an error of the field can focus it.
#[component]
fn Row(
    row: HeaderRow,
    number: usize,
    is_saved: bool,
    invalid: bool,
    focus: bool,
    functions: Functions,
    readonly: bool,
) -> impl IntoView {
    let (name_label, value_label) = match row.kind {
        HeaderKind::Header => ("Name", "Value"),
        HeaderKind::Bearer => ("Scheme", "Token"),
        HeaderKind::Basic => ("User", "Password"),
    };
    let name_id = if number == 1 {
        "headers".to_owned()
    } else {
        format!("headers-{number}")
    };
    let value_id = format!("header-value-{number}");
    let is_fixed = is_saved || row.kind == HeaderKind::Bearer;
    let name = if row.kind == HeaderKind::Bearer {
        "Authorization: Bearer".to_owned()
    } else {
        row.name
    };
    let value = if readonly {
        view! { <p class="rows__set">"Set"</p> }.into_any()
    } else {
        let placeholder = is_saved.then_some("Set. Leave empty to keep it.");
        view! {
            <input
                id=value_id.clone()
                type="password"
                name="header_value"
                value=row.value.as_str().to_owned()
                placeholder=placeholder
                autocomplete="off"
                aria-invalid=invalid.then_some("true")
                autofocus=focus && is_fixed
            />
        }
        .into_any()
    };
    let remove = (!readonly).then(|| {
        let name = format!("Remove header {number}");
        view! { <RowButton functions change=RowChange::RemoveHeader(number) text="Remove" name/> }
    });
    let value_label = if readonly {
        view! { <span class="rows__label">{value_label}</span> }.into_any()
    } else {
        view! { <label class="rows__label" for=value_id>{value_label}</label> }.into_any()
    };
    view! {
        <div class="rows__row" role="group" aria-label=format!("Header {number}")>
            <input type="hidden" name="header_kind" value=row.kind.as_str()/>
            <div class="rows__cell">
                <label class="rows__label" for=name_id.clone()>{name_label}</label>
                <input
                    id=name_id
                    class="code"
                    type="text"
                    name="header_name"
                    value=name
                    readonly=readonly || is_fixed
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    aria-invalid=invalid.then_some("true")
                    aria-describedby="headers-error"
                    autofocus=focus && !is_fixed
                />
            </div>
            <div class="rows__cell">{value_label}{value}</div>
            {remove}
        </div>
    }
}
