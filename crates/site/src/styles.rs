//! Bundles `style/main.css` and its imports into one style sheet.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use lightningcss::bundler::{Bundler, FileProvider};
use lightningcss::printer::PrinterOptions;
use lightningcss::stylesheet::{MinifyOptions, ParserOptions};
use lightningcss::targets::{Browsers, Targets};

/// Returns the oldest supported browsers. All support nesting, layers and `light-dark()`, so these are left as they
/// are.
fn targets() -> Targets {
    Targets::from(Browsers {
        chrome: Some(version(125, 0)),
        edge: Some(version(125, 0)),
        firefox: Some(version(128, 0)),
        safari: Some(version(17, 5)),
        ios_saf: Some(version(17, 5)),
        ..Browsers::default()
    })
}

const fn version(major: u32, minor: u32) -> u32 {
    major << 16 | minor << 8
}

/// Inlines the imports and minifies the result for the supported browsers. Errors contain file, line and column.
pub fn bundle(entry: &Path) -> Result<String> {
    let files = FileProvider::new();
    let mut bundler = Bundler::new(&files, None, ParserOptions::default());
    let mut sheet = bundler
        .bundle(entry)
        .map_err(|error| with_location(&error, entry))?;
    let minify = MinifyOptions {
        targets: targets(),
        ..MinifyOptions::default()
    };
    sheet
        .minify(minify)
        .map_err(|error| with_location(&error, entry))?;
    let print = PrinterOptions {
        minify: true,
        targets: targets(),
        ..PrinterOptions::default()
    };
    Ok(sheet
        .to_css(print)
        .map_err(|error| with_location(&error, entry))?
        .code)
}

/// Formats an error as `style/table.css:12:3: Unexpected token`, which editors and terminals can open.
fn with_location<T: std::fmt::Display>(error: &lightningcss::error::Error<T>, entry: &Path) -> anyhow::Error {
    let kind = &error.kind;
    match &error.loc {
        // Lines are zero-based, columns one-based.
        Some(at) => {
            // Collecting components removes the `./` of an import.
            let file: PathBuf = Path::new(&at.filename).components().collect();
            anyhow!("{}:{}:{}: {kind}", file.display(), at.line + 1, at.column)
        }
        None => anyhow!("{}: {kind}", entry.display()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::bundle;

    fn bundled(files: &[(&str, &str)]) -> anyhow::Result<String> {
        let home = tempfile::tempdir().unwrap();
        for (name, css) in files {
            fs::write(home.path().join(name), css).unwrap();
        }
        bundle(&home.path().join("main.css"))
    }

    #[test]
    fn imports_are_inlined_in_layer_order() {
        let css = bundled(&[
            (
                "main.css",
                "@layer parts, base;\n@import \"./base.css\" layer(base);",
            ),
            ("base.css", "body { margin: 0px }"),
        ]);
        assert_eq!(css.unwrap(), "@layer parts;@layer base{body{margin:0}}");
    }

    #[test]
    fn features_of_supported_browsers_are_kept() {
        let css = bundled(&[(
            "main.css",
            "a { color: light-dark(#fff, #000); &:hover { color: red } }",
        )]);
        assert_eq!(css.unwrap(), "a{color:light-dark(#fff,#000);&:hover{color:red}}");
    }

    #[test]
    fn error_contains_the_imported_file_and_line() {
        let css = bundled(&[
            ("main.css", "@import \"./bad.css\";"),
            ("bad.css", "a { color: red }\nb { color }"),
        ]);
        let error = css.unwrap_err().to_string();
        assert!(error.contains("/bad.css:2:") && !error.contains("/./"), "{error}");
    }

    #[test]
    fn missing_import_is_reported_at_the_import_rule() {
        let error = bundled(&[("main.css", "\n@import \"./gone.css\";")])
            .unwrap_err()
            .to_string();
        assert!(error.contains("main.css:2:"), "{error}");
    }
}
