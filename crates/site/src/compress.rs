//! Compresses assets at build time, at the highest quality, so that the server only selects a file.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::files;

/// File extensions to compress. Fonts and images are compressed formats already.
const EXTENSIONS: [&str; 8] = ["css", "html", "js", "json", "svg", "txt", "wasm", "xml"];

/// Writes `FILE.br` and `FILE.gz` next to each file below `folder`, if they are smaller.
pub fn compress_below(folder: &Path) -> Result<()> {
    for file in files::below(folder)? {
        if is_compressible(&file) {
            let bytes = fs::read(&file)?;
            write_if_smaller(&file, "br", &bytes, &brotli(&bytes)?)?;
            write_if_smaller(&file, "gz", &bytes, &gzip(&bytes)?)?;
        }
    }
    Ok(())
}

/// Returns the path of the compressed copy: `FILE.js` becomes `FILE.js.br`.
pub fn beside(file: &Path, encoding: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".");
    name.push(encoding);
    name.into()
}

fn is_compressible(file: &Path) -> bool {
    file.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.contains(&extension))
}

fn write_if_smaller(file: &Path, encoding: &str, bytes: &[u8], compressed: &[u8]) -> Result<()> {
    if compressed.len() < bytes.len() {
        let path = beside(file, encoding);
        fs::write(&path, compressed).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::path::Path;

    use super::{beside, compress_below};

    #[test]
    fn compressed_copies_decompress_to_the_original() {
        let home = tempfile::tempdir().unwrap();
        let (file, text) = (home.path().join("a.css"), "body{margin:0}".repeat(100));
        fs::write(&file, &text).unwrap();
        compress_below(home.path()).unwrap();

        let mut unzipped = String::new();
        let gzip = fs::read(beside(&file, "gz")).unwrap();
        flate2::read::GzDecoder::new(&*gzip)
            .read_to_string(&mut unzipped)
            .unwrap();
        assert_eq!(unzipped, text);

        let mut unpacked = Vec::new();
        let brotli = fs::read(beside(&file, "br")).unwrap();
        brotli::BrotliDecompress(&mut &*brotli, &mut unpacked).unwrap();
        assert_eq!(unpacked, text.as_bytes());
        assert!(brotli.len() < gzip.len());
    }

    #[test]
    fn copies_that_would_be_larger_are_not_written() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("a.css"), "a{}").unwrap();
        fs::write(home.path().join("text.woff2"), "a".repeat(1000)).unwrap();
        compress_below(home.path()).unwrap();
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    }

    #[test]
    fn encoding_is_appended_to_the_file_name() {
        assert_eq!(
            beside(Path::new("pkg/caleida-1_bg.wasm"), "br"),
            Path::new("pkg/caleida-1_bg.wasm.br")
        );
    }
}
