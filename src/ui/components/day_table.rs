//! A table of the log entries of one day.

use leptos::prelude::*;

/// `index` is the position of the day on its page. The children are the rows.
#[component]
pub fn DayTable(
    index: usize,
    day: String,
    class: &'static str,
    columns: &'static [&'static str],
    children: Children,
) -> impl IntoView {
    let id = format!("day-{index}");
    let (heading_id, label_id) = (id.clone(), id.clone());
    let columns = columns
        .iter()
        .map(|column| view! { <th role="columnheader" scope="col">{*column}</th> });
    view! {
        <section class="day" aria-labelledby=id>
            <h2 id=heading_id>{day}</h2>
            <table class=class role="table" aria-labelledby=label_id>
                <thead role="rowgroup"><tr role="row">{columns.collect_view()}</tr></thead>
                <tbody role="rowgroup">{children()}</tbody>
            </table>
        </section>
    }
}
