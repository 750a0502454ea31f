/// A file of the dashboard whose name contains a hash of its content.
#[derive(Debug, Clone)]
pub struct Asset {
    pub name: String,
    /// Compressed with gzip.
    pub content: Vec<u8>,
}
