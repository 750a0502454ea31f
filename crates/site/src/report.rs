//! Sizes of the built assets in bytes.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;

use crate::bundle::Site;
use crate::compress::beside;

/// Returns a table with one row per file that a page loads, and the total size of script and wasm.
pub fn table(site: &Site) -> Result<String> {
    let pkg = site.folder.join("pkg");
    let rows = [
        ("script", Sizes::read(&pkg.join(format!("{}.js", site.script)))?),
        (
            "wasm",
            Sizes::read(&pkg.join(format!("{}_bg.wasm", site.script)))?,
        ),
        ("style", Sizes::read(&pkg.join(format!("{}.css", site.style)))?),
    ];
    Ok(render(&rows))
}

/// Sizes of a file and its compressed copies. `None` if there is no such copy, as in development builds.
#[derive(Clone, Copy)]
struct Sizes {
    raw: Option<u64>,
    gzip: Option<u64>,
    brotli: Option<u64>,
}

impl Sizes {
    fn read(file: &Path) -> Result<Self> {
        Ok(Self {
            raw: size(file)?,
            gzip: size(&beside(file, "gz"))?,
            brotli: size(&beside(file, "br"))?,
        })
    }
}

fn size(file: &Path) -> Result<Option<u64>> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn render(rows: &[(&str, Sizes); 3]) -> String {
    let mut table = format!(
        "{:<16}{:>10}{:>10}{:>10}\n",
        "target/site/pkg", "raw", "gzip", "brotli"
    );
    for (name, sizes) in rows {
        let [raw, gzip, brotli] = [sizes.raw, sizes.gzip, sizes.brotli].map(cell);
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{name:<16}{raw:>10}{gzip:>10}{brotli:>10}");
    }
    if let [
        (
            _,
            Sizes {
                brotli: Some(script), ..
            },
        ),
        (
            _,
            Sizes {
                brotli: Some(wasm), ..
            },
        ),
        _,
    ] = rows
    {
        let _ = writeln!(table, "{:<16}{:>30}", "script + wasm", script + wasm);
    }
    table
}

fn cell(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Sizes, render};

    #[test]
    fn sizes_line_up_and_script_and_wasm_are_summed() {
        let sizes = |raw, gzip, brotli| Sizes {
            raw: Some(raw),
            gzip: Some(gzip),
            brotli: Some(brotli),
        };
        let table = render(&[
            ("script", sizes(14000, 5000, 4000)),
            ("wasm", sizes(140_000, 51_000, 43_000)),
            (
                "style",
                Sizes {
                    raw: Some(90),
                    gzip: None,
                    brotli: None,
                },
            ),
        ]);
        let expected = "\
target/site/pkg        raw      gzip    brotli
script               14000      5000      4000
wasm                140000     51000     43000
style                   90         -         -
script + wasm                            47000
";
        assert_eq!(table, expected);
    }
}
