//! The entries of one day in a log.

use leptos::prelude::*;

/// `index`: of the day on its page. The rows are its children.
#[component]
pub fn DayTable(
    index: usize,
    day: String,
    class: &'static str,
    columns: &'static [&'static str],
    children: Children,
) -> impl IntoView {
    let id = format!("day-{index}");
    let (heading, table) = (id.clone(), id.clone());
    let columns = columns
        .iter()
        .map(|column| view! { <th role="columnheader" scope="col">{*column}</th> });
    view! {
        <section class="day" aria-labelledby=id>
            <h2 id=heading>{day}</h2>
            <table class=class role="table" aria-labelledby=table>
                <thead role="rowgroup"><tr role="row">{columns.collect_view()}</tr></thead>
                <tbody role="rowgroup">{children()}</tbody>
            </table>
        </section>
    }
}
