//! One style sheet out of `style/main.css` and all it imports.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use lightningcss::bundler::{Bundler, FileProvider};
use lightningcss::printer::PrinterOptions;
use lightningcss::stylesheet::{MinifyOptions, ParserOptions};
use lightningcss::targets::{Browsers, Targets};

/// The oldest browsers we write for. All of them know nesting, layers and `light-dark()`, so those stay as written.
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

/// Inlines the imports, drops what the targets do not need, and minifies. An error names file, line and column.
pub fn bundle(entry: &Path) -> Result<String> {
    let files = FileProvider::new();
    let mut bundler = Bundler::new(&files, None, ParserOptions::default());
    let mut sheet = bundler.bundle(entry).map_err(|error| located(&error, entry))?;
    let minify = MinifyOptions {
        targets: targets(),
        ..MinifyOptions::default()
    };
    sheet.minify(minify).map_err(|error| located(&error, entry))?;
    let print = PrinterOptions {
        minify: true,
        targets: targets(),
        ..PrinterOptions::default()
    };
    Ok(sheet.to_css(print).map_err(|error| located(&error, entry))?.code)
}

/// `style/table.css:12:3: Unexpected token`, as editors and terminals know to open it.
fn located<T: std::fmt::Display>(error: &lightningcss::error::Error<T>, entry: &Path) -> anyhow::Error {
    let kind = &error.kind;
    match &error.loc {
        // Its lines count from zero, its columns from one.
        Some(at) => {
            // As components, to lose the `./` of an import.
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
    fn imports_are_inlined_and_their_layers_keep_their_order() {
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
    fn what_the_browsers_know_stays_as_written() {
        let css = bundled(&[(
            "main.css",
            "a { color: light-dark(#fff, #000); &:hover { color: red } }",
        )]);
        assert_eq!(css.unwrap(), "a{color:light-dark(#fff,#000);&:hover{color:red}}");
    }

    #[test]
    fn an_error_names_the_imported_file_and_its_line() {
        let css = bundled(&[
            ("main.css", "@import \"./bad.css\";"),
            ("bad.css", "a { color: red }\nb { color }"),
        ]);
        let error = css.unwrap_err().to_string();
        assert!(error.contains("/bad.css:2:") && !error.contains("/./"), "{error}");
    }

    #[test]
    fn an_import_that_is_not_there_is_an_error_where_it_is_asked_for() {
        let error = bundled(&[("main.css", "\n@import \"./gone.css\";")])
            .unwrap_err()
            .to_string();
        assert!(error.contains("main.css:2:"), "{error}");
    }
}
