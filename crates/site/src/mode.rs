//! Build modes of a site.

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Unoptimized wasm, no compression.
    Dev,
    /// Optimized for size and compressed.
    Release,
}
