//! Line icons on a 16 × 16 grid.

use leptos::prelude::*;

/// The available icons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    Bolt,
    Book,
    Check,
    Clock,
    Cross,
    Deliveries,
    Exit,
    Guide,
    History,
    Key,
    Menu,
    Pause,
    People,
    Person,
    Search,
    Slash,
    UpDown,
    Warning,
    Webhook,
}

impl Glyph {
    fn path(self) -> &'static str {
        match self {
            Self::Bolt => "M9 1.8L3.5 9H8l-1 5.2L12.5 7H8z",
            Self::Book => {
                "M8 4.2C6.6 3.2 4.7 2.8 2.5 3v9.5c2.2-.2 4.1.2 5.5 1.2 1.4-1 3.3-1.4 5.5-1.2V3c-2.2-.2-4.1.2-5.5 1.2zM8 4.2v9.5"
            }
            Self::Check => "M3.5 8.5l3 3 6-7",
            Self::Clock => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 5v3l2 1.5",
            Self::Cross => "M4 4l8 8M12 4l-8 8",
            Self::Deliveries => "M2 4.5h7M2 8h5M2 11.5h7M10.5 8h4M12.5 6l2 2-2 2",
            Self::Exit => "M6.5 2.5h-3a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h3M10 5l3 3-3 3M13 8H6.5",
            Self::Guide => {
                "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM6.3 6.2a1.8 1.8 0 1 1 2.6 1.7c-.6.3-.9.7-.9 1.3M8 11.4v.1"
            }
            Self::History => "M2.5 8a5.5 5.5 0 1 0 1.6-3.9L2.5 5.7M2.5 2.5v3.2h3.2M8 5v3l2 1.5",
            Self::Key => "M5.5 7.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM7.7 8.4L13.5 2.5M11 5l2 2",
            Self::Menu => "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
            Self::Pause => "M5.5 3.5v9M10.5 3.5v9",
            Self::People => {
                "M6 2.8a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM1.5 13.2c0-2.4 2-3.9 4.5-3.9s4.5 1.5 4.5 3.9M10.5 3.2a2.3 2.3 0 0 1 0 4.2M12 9.7c1.5.5 2.5 1.7 2.5 3.5"
            }
            Self::Person => {
                "M8 2.5a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4zM3 13.5c0-2.6 2.2-4.2 5-4.2s5 1.6 5 4.2"
            }
            Self::Search => "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3l3.2 3.2",
            Self::Slash => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM3.8 3.8l8.4 8.4",
            Self::UpDown => "M5 6l3-3 3 3M5 10l3 3 3-3",
            Self::Warning => "M8 2.2L1.7 13.3h12.6zM8 6.5v3M8 11.4v.1",
            Self::Webhook => {
                "M5.4 5.6a2.8 2.8 0 1 1 4.3 1.2l2 3.6M8 4.6L5.8 8.5M4.2 8.4a2.8 2.8 0 1 0 2.9 3h4.2M11.5 11.4a2.8 2.8 0 1 0-1.1-2.6"
            }
        }
    }
}

/// Decorative: the text next to it has the same meaning.
#[component]
pub fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
            <path
                d=glyph.path()
                fill="none"
                stroke="currentColor"
                stroke-width="1.5"
                stroke-linecap="round"
                stroke-linejoin="round"
            ></path>
        </svg>
    }
}
