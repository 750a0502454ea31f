//! The rows of a filter: conditions and groups of conditions.

use leptos::prelude::*;
use strum::VariantArray;

use super::{
    super::{
        field::FieldError,
        form::{PREVIEW, Preview},
    },
    Functions, RowButton,
};
use crate::{
    domain::{
        EventType, EventTypes,
        filter::{Filter, Mode, Operator, known_fields},
    },
    ui::{
        actions::webhooks::{ConditionRow, FilterItem, FilterRows, RowChange},
        layout::fragment::Fragment,
    },
};

#[component]
pub fn FilterRowsField(
    rows: FilterRows,
    /// The chosen event types.
    events: Vec<String>,
    error: Option<String>,
    focus: bool,
    change: Option<RowChange>,
    preview: Option<Fragment>,
    functions: Functions,
    readonly: bool,
) -> impl IntoView {
    let has_rows = !rows.is_empty();
    let json = rows.to_json();
    let removed = matches!(change, Some(RowChange::RemoveCondition(_)));
    let state = RowState {
        invalid: error.is_some(),
        functions,
        readonly,
    };
    let mode = has_rows
        .then(|| view! { <ModeField group=None label="Send events that meet" mode=rows.mode readonly/> });
    let added = added_condition(&rows, change);
    let (mut number, mut groups) = (0, 0);
    let items: Vec<_> = rows
        .items
        .into_iter()
        .map(|item| match item {
            FilterItem::Row(row) => {
                number += 1;
                let focus = added == Some(number) || (focus && number == 1);
                view! { <Row row number group=None state focus/> }.into_any()
            }
            FilterItem::Group(mode, list) => {
                groups += 1;
                let first = number + 1;
                number += list.len();
                let focused = added.or(focus.then_some(1));
                view! { <Group mode list group=groups first state focused/> }.into_any()
            }
        })
        .collect();
    let buttons = (!readonly).then(|| {
        let group =
            has_rows.then(|| view! { <RowButton functions change=RowChange::AddGroup text="Add group"/> });
        let preview = has_rows.then(|| {
            view! {
                <button
                    class="button button--small"
                    type="submit"
                    name="do"
                    value="preview"
                    data-action=functions.preview
                    data-part=PREVIEW
                >
                    "Preview"
                </button>
            }
        });
        view! {
            <div class="rows__buttons">
                <RowButton functions change=RowChange::AddCondition(None) text="Add condition" focus=removed/>
                {group}
                {preview}
            </div>
        }
    });
    let advice = advice(&json, &events);
    let preview = has_rows.then(|| {
        view! { <Preview html=preview function=functions.preview>{advice}</Preview> }
    });
    let hint = if has_rows {
        view! {
            "Fields are paths into the event’s data, such as "<code>"topics.0.name"</code>
            ". Put text that looks like a number in quotes, and separate several values by commas."
        }
        .into_any()
    } else {
        "Without conditions, all events of the chosen types are sent.".into_any()
    };
    view! {
        <fieldset class="field rows" aria-describedby="filter-error filter-hint" data-previewed>
            <legend>"Filter"</legend>
            <FieldError id="filter" error/>
            <p class="field__hint" id="filter-hint">{hint}</p>
            <KnownFields/>
            {mode}
            {items}
            {buttons}
            {preview}
        </fieldset>
    }
}

/// Returns warnings about a valid filter.
fn advice(json: &str, events: &[String]) -> AnyView {
    let types = EventTypes::parse(events.iter().map(String::as_str)).ok();
    let filter = Filter::parse_text(json).ok();
    let advice = filter.zip(types).map(|(filter, types)| filter.advise(&types));
    let warnings = advice.unwrap_or_default().into_iter();
    warnings
        .map(|advice| view! { <p class="field__advice">{advice.to_string()}</p> })
        .collect_view()
        .into_any()
}

/// What all rows have in common.
#[derive(Clone, Copy)]
struct RowState {
    invalid: bool,
    functions: Functions,
    readonly: bool,
}

/// Returns the number of the condition that was added.
fn added_condition(rows: &FilterRows, change: Option<RowChange>) -> Option<usize> {
    let size = |item: &FilterItem| match item {
        FilterItem::Row(_) => 1,
        FilterItem::Group(_, list) => list.len(),
    };
    match change? {
        RowChange::AddCondition(None) | RowChange::AddGroup => Some(rows.items.iter().map(size).sum()),
        RowChange::AddCondition(Some(group)) => {
            let is_group = |item: &&FilterItem| matches!(item, FilterItem::Group(..));
            let mut groups = 0;
            let until = rows.items.iter().position(|item| {
                groups += usize::from(is_group(&item));
                groups == group
            });
            Some(rows.items[..=until?].iter().map(size).sum())
        }
        _ => None,
    }
}

#[component]
fn ModeField(
    /// Number of the group, from 1, or `None` for the whole filter.
    group: Option<usize>,
    label: &'static str,
    mode: Mode,
    readonly: bool,
) -> impl IntoView {
    let (name, id) = match group {
        None => ("filter_mode", "filter_mode".to_owned()),
        Some(group) => ("group_mode", format!("group_mode-{group}")),
    };
    let choices = [(Mode::All, "all conditions"), (Mode::Any, "any condition")].map(|(choice, text)| {
        let value: &str = choice.into();
        view! { <option value=value selected=mode == choice>{text}</option> }
    });
    view! {
        <div class="rows__mode">
            <label for=id.clone()>{label}</label>
            <select id=id name=name disabled=readonly>{choices.into_iter().collect_view()}</select>
        </div>
    }
}

#[component]
fn Group(
    mode: Mode,
    list: Vec<ConditionRow>,
    /// Number of the group, from 1.
    group: usize,
    /// Number of its first condition.
    first: usize,
    state: RowState,
    /// Number of the condition that gets the focus.
    focused: Option<usize>,
) -> impl IntoView {
    let rows: Vec<_> = list
        .into_iter()
        .enumerate()
        .map(|(index, row)| {
            let number = first + index;
            view! { <Row row number group=Some(group) state focus=focused == Some(number)/> }
        })
        .collect();
    let functions = state.functions;
    let add = (!state.readonly).then(|| {
        let name = format!("Add condition to group {group}");
        view! {
            <div class="rows__buttons">
                <RowButton functions change=RowChange::AddCondition(Some(group)) text="Add condition" name/>
            </div>
        }
    });
    view! {
        <fieldset class="rows__group">
            <legend>{format!("Group {group}")}</legend>
            <ModeField group=Some(group) label="This group needs" mode readonly=state.readonly/>
            {rows}
            {add}
        </fieldset>
    }
}

/// The first input of the first row has the id `filter`, so that an error of the field can focus it.
#[component]
fn Row(
    row: ConditionRow,
    number: usize,
    group: Option<usize>,
    state: RowState,
    focus: bool,
) -> impl IntoView {
    let RowState {
        invalid,
        functions,
        readonly,
    } = state;
    let field_id = if number == 1 {
        "filter".to_owned()
    } else {
        format!("filter-{number}")
    };
    let (operator_id, value_id) = (
        format!("condition-operator-{number}"),
        format!("condition-value-{number}"),
    );
    let operators = Operator::VARIANTS.iter().map(|operator| {
        let selected = row.operator == operator.as_str();
        view! { <option value=operator.as_str() selected=selected>{operator.words()}</option> }
    });
    let operators = operators.collect_view();
    let remove = (!readonly).then(|| {
        let name = format!("Remove condition {number}");
        view! { <RowButton functions change=RowChange::RemoveCondition(number) text="Remove" name/> }
    });
    view! {
        <div class="rows__row rows__row--condition" role="group" aria-label=format!("Condition {number}")>
            <input type="hidden" name="condition_group" value=group.map(|group| group.to_string()).unwrap_or_default()/>
            <div class="rows__cell">
                <label class="rows__label" for=field_id.clone()>"Field"</label>
                <input
                    id=field_id
                    class="code"
                    type="text"
                    name="condition_field"
                    value=row.field
                    list="known-fields"
                    readonly=readonly
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    aria-invalid=invalid.then_some("true")
                    aria-describedby="filter-error"
                    autofocus=focus
                />
            </div>
            <div class="rows__cell">
                <label class="rows__label" for=operator_id.clone()>"Operator"</label>
                <select id=operator_id name="condition_operator" disabled=readonly>{operators}</select>
            </div>
            <div class="rows__cell">
                <label class="rows__label" for=value_id.clone()>"Value"</label>
                <input
                    id=value_id
                    class="code"
                    type="text"
                    name="condition_value"
                    value=row.value
                    readonly=readonly
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    aria-invalid=invalid.then_some("true")
                    aria-describedby="filter-error"
                />
            </div>
            {remove}
        </div>
    }
}

/// Suggestions for fields.
#[component]
fn KnownFields() -> impl IntoView {
    let fields = known_fields(EventType::VARIANTS.iter().copied()).into_iter();
    let options = fields.map(|field| view! { <option value=field></option> });
    view! { <datalist id="known-fields">{options.collect_view()}</datalist> }
}
