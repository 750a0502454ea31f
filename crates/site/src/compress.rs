//! Compresses once, here, as hard as it goes, so that the server only has to pick a file.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::files;

/// The types that shrink. Fonts and pictures are compressed in themselves.
const TYPES: [&str; 8] = ["css", "html", "js", "json", "svg", "txt", "wasm", "xml"];

/// Writes `FILE.br` and `FILE.gz` beside every file below `folder` that gets smaller by it.
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

/// `FILE.js` → `FILE.js.br`.
pub fn beside(file: &Path, encoding: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".");
    name.push(encoding);
    name.into()
}

fn is_compressible(file: &Path) -> bool {
    file.extension()
        .and_then(|it| it.to_str())
        .is_some_and(|it| TYPES.contains(&it))
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
    fn a_text_gets_both_and_each_gives_it_back() {
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
    fn what_would_grow_or_is_compressed_already_stays_alone() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("a.css"), "a{}").unwrap();
        fs::write(home.path().join("text.woff2"), "a".repeat(1000)).unwrap();
        compress_below(home.path()).unwrap();
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    }

    #[test]
    fn the_encoding_is_appended_to_the_whole_name() {
        assert_eq!(
            beside(Path::new("pkg/caleida-1_bg.wasm"), "br"),
            Path::new("pkg/caleida-1_bg.wasm.br")
        );
    }
}
