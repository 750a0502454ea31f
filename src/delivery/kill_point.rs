//! Named places at which a process may die, so that tests hit each window between two steps on purpose.

/// The point at which `CALEIDA_KILL_AT` ends the process, as abruptly as a power cut would.
#[cfg(debug_assertions)]
static CHOSEN: std::sync::LazyLock<Option<String>> =
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
    /// Ends the process if this is the chosen point. Nothing in a release build.
    pub(super) fn reached(self) {
        #[cfg(debug_assertions)]
        if CHOSEN.as_deref() == Some(self.name()) {
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
