//! A revealed or rotated secret, and the overlap of a rotation.

use std::time::Duration;

use leptos::prelude::*;

use super::time_ago::{ExactTime, short_duration};
use crate::{
    domain::{Secret, Timestamp},
    ui::islands::copy_button::CopyButton,
    webhooks::DEFAULT_OVERLAP,
};

/// A revealed or rotated secret. Takes the focus because it is the result of the pressed button.
#[component]
pub fn ShownSecret(
    secret: Secret,
    is_new: bool,
    previous_until: Option<Timestamp>,
    now: Timestamp,
) -> impl IntoView {
    let encoded = secret.is_raw_text().then(|| {
        view! {
            <p class="secrets__previous">
                "For Standard Webhooks libraries, use "<code class="secrets__text">{secret.to_whsec().to_string()}</code>
            </p>
        }
    });
    let rotated = is_new.then(|| {
        view! {
            <p class="secrets__previous" role="status">
                "The secret was rotated. Update your receiver before the previous secret stops signing."
            </p>
        }
    });
    view! {
        <div class="copied">
            <p class="secrets__shown">
                <code class="secrets__text" tabindex="-1" autofocus=true>{secret.reveal().to_owned()}</code>
                <CopyButton/>
            </p>
        </div>
        {encoded}
        {rotated}
        <PreviousSecret until=previous_until now/>
    }
}

/// Shows until when the previous secret also signs. Empty once it has expired.
#[component]
pub fn PreviousSecret(until: Option<Timestamp>, now: Timestamp) -> impl IntoView {
    until.filter(|until| *until > now).map(|until| {
        view! {
            <p class="secrets__previous">
                {format!("The previous secret also signs for another {}, until ", short_duration(until.since(now)))}
                <ExactTime at=until now/>"."
            </p>
        }
    })
}

/// A choice of how long the previous secret also signs after a rotation.
pub struct Overlap {
    pub hours: u64,
    pub label: &'static str,
}

pub const OVERLAPS: [Overlap; 7] = [
    Overlap {
        hours: 0,
        label: "0 h (not at all)",
    },
    Overlap {
        hours: 1,
        label: "1 h",
    },
    Overlap {
        hours: 6,
        label: "6 h",
    },
    Overlap {
        hours: 24,
        label: "24 h",
    },
    Overlap {
        hours: 48,
        label: "2 d",
    },
    Overlap {
        hours: 96,
        label: "4 d",
    },
    Overlap {
        hours: 168,
        label: "7 d",
    },
];

impl Overlap {
    fn duration(&self) -> Duration {
        Duration::from_secs(self.hours * 60 * 60)
    }

    pub fn is_default(&self) -> bool {
        self.duration() == DEFAULT_OVERLAP
    }

    /// Parses one of [`OVERLAPS`]; anything else becomes the default.
    pub fn parse(hours: &str) -> Duration {
        let hours: Option<u64> = hours.parse().ok();
        let overlap = OVERLAPS.iter().find(|overlap| Some(overlap.hours) == hours);
        overlap.map_or(DEFAULT_OVERLAP, Self::duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_overlap_becomes_the_default() {
        assert_eq!(Overlap::parse("0"), Duration::ZERO);
        assert_eq!(Overlap::parse("168"), Duration::from_secs(7 * 24 * 3600));
        assert_eq!(Overlap::parse("99999"), DEFAULT_OVERLAP);
        assert_eq!(OVERLAPS.iter().filter(|overlap| overlap.is_default()).count(), 1);
    }
}
