//! Named points where tests can kill the process, one in each window between two steps of a delivery.

/// Point selected by `CALEIDA_KILL_AT`.
#[cfg(debug_assertions)]
static SELECTED: std::sync::LazyLock<Option<String>> =
    std::sync::LazyLock::new(|| std::env::var("CALEIDA_KILL_AT").ok());

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KillPoint {
    BeforeStoring,
    AfterStoring,
    BeforeSending,
    AfterSending,
    AfterRecording,
}

impl KillPoint {
    /// Aborts the process if this point is selected. Does nothing in a release build.
    pub(super) fn reached(self) {
        #[cfg(debug_assertions)]
        if SELECTED.as_deref() == Some(self.name()) {
            std::process::abort();
        }
    }

    #[cfg(debug_assertions)]
    fn name(self) -> &'static str {
        match self {
            Self::BeforeStoring => "before-storing",
            Self::AfterStoring => "after-storing",
            Self::BeforeSending => "before-sending",
            Self::AfterSending => "after-sending",
            Self::AfterRecording => "after-recording",
        }
    }
}
