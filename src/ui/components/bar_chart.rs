//! Little stacked bars: what succeeded at the bottom, what failed on top of it.

use std::fmt::Write;

use leptos::prelude::*;

/// From one bar to the next, and how much of that the bar takes.
const STEP: usize = 4;
const BAR: usize = 3;

/// Succeeded and failed, for each bar. `height` is in the units in which a bar and the gap after it are 4 wide; `label`
/// says it all to those who do not see it.
#[component]
pub fn BarChart(counts: Vec<(u32, u32)>, height: u32, #[prop(into)] label: String) -> impl IntoView {
    let (succeeded, failed) = outlines(&counts, height);
    let width = counts.len() * STEP - (STEP - BAR);
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

fn outlines(counts: &[(u32, u32)], height: u32) -> (String, String) {
    let highest = counts
        .iter()
        .map(|(succeeded, failed)| succeeded.saturating_add(*failed))
        .max()
        .unwrap_or(0)
        .max(1);
    let (mut below_all, mut above_all) = (String::new(), String::new());
    for (index, (succeeded, failed)) in counts.iter().enumerate() {
        let below = bar_height(*succeeded, highest, height);
        let above = bar_height(*failed, highest, height).min(height - below);
        bar(&mut below_all, index, height, below);
        bar(&mut above_all, index, height - below, above);
    }
    (below_all, above_all)
}

/// In proportion, but never too small to be seen.
fn bar_height(count: u32, highest: u32, height: u32) -> u32 {
    let exact = u64::from(count) * u64::from(height) / u64::from(highest);
    let exact = u32::try_from(exact).unwrap_or(height);
    if count == 0 { 0 } else { exact.max(2) }
}

fn bar(path: &mut String, index: usize, bottom: u32, height: u32) {
    if height > 0 {
        // Writing to a String cannot fail.
        let _ = write!(path, "M{} {bottom}v-{height}h{BAR}v{height}z", index * STEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_and_what_failed_stands_on_what_did_not() {
        let (succeeded, failed) = outlines(&[(0, 0), (6, 6), (1, 0)], 24);
        assert_eq!(succeeded, "M4 24v-12h3v12zM8 24v-2h3v2z");
        assert_eq!(failed, "M4 12v-12h3v12z");
    }
}
