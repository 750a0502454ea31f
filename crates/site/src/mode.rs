//! The two ways to build a site.

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Quick to build: unoptimised wasm, nothing compressed.
    Dev,
    /// Small to load.
    Release,
}
