//! A small stacked bar chart: failures on top of successes.

use std::fmt::Write;

use leptos::prelude::*;

/// Distance between the starts of two bars.
const BAR_STEP: usize = 4;
const BAR_WIDTH: usize = 3;

/// Each bar is a pair of succeeded and failed. `height` is in units of the view box. `label` is the text alternative.
#[component]
pub fn BarChart(counts: Vec<(u32, u32)>, height: u32, #[prop(into)] label: String) -> impl IntoView {
    let (succeeded, failed) = bar_paths(&counts, height);
    let width = counts.len() * BAR_STEP - (BAR_STEP - BAR_WIDTH);
    view! {
        <svg
            class="bars"
            viewBox=format!("0 0 {width} {height}")
            width=width
            height=height
            preserveAspectRatio="none"
            role="img"
            aria-label=label
        >
            <path class="bars__base" d=format!("M0 {height}h{width}v-1h-{width}z")></path>
            <path class="bars__succeeded" d=succeeded></path>
            <path class="bars__failed" d=failed></path>
        </svg>
    }
}

fn bar_paths(counts: &[(u32, u32)], height: u32) -> (String, String) {
    let highest = counts
        .iter()
        .map(|(succeeded, failed)| succeeded.saturating_add(*failed))
        .max()
        .unwrap_or(0)
        .max(1);
    let (mut succeeded_path, mut failed_path) = (String::new(), String::new());
    for (index, (succeeded, failed)) in counts.iter().enumerate() {
        let below = bar_height(*succeeded, highest, height);
        let above = bar_height(*failed, highest, height).min(height - below);
        push_bar(&mut succeeded_path, index, height, below);
        push_bar(&mut failed_path, index, height - below, above);
    }
    (succeeded_path, failed_path)
}

/// Returns a height in proportion to the count, but at least 2 for a nonzero count so that the bar is visible.
fn bar_height(count: u32, highest: u32, height: u32) -> u32 {
    let exact = u64::from(count) * u64::from(height) / u64::from(highest);
    let exact = u32::try_from(exact).unwrap_or(height);
    if count == 0 { 0 } else { exact.max(2) }
}

fn push_bar(path: &mut String, index: usize, bottom: u32, height: u32) {
    if height > 0 {
        // Writing to a String cannot fail.
        let _ = write!(
            path,
            "M{} {bottom}v-{height}h{BAR_WIDTH}v{height}z",
            index * BAR_STEP
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_failures_on_successes_in_proportion() {
        let (succeeded, failed) = bar_paths(&[(0, 0), (6, 6), (1, 0)], 24);
        assert_eq!(succeeded, "M4 24v-12h3v12zM8 24v-2h3v2z");
        assert_eq!(failed, "M4 12v-12h3v12z");
    }
}
