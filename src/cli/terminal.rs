//! Prints untrusted text safely on a terminal, and formats JSON.

use std::{
    env,
    fmt::Display,
    io::{self, IsTerminal, Write},
};

/// Error of writing to stdout, for example because the disk is full.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to stdout: {0}")]
pub struct OutputError(io::Error);

/// Prints a line to stdout. Succeeds if stdout is a closed pipe: its reader, such as `head`, needs no more lines.
pub fn print_line(line: impl Display) -> Result<(), OutputError> {
    match write_line(line) {
        Err(OutputError(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints a line to stdout. Fails if stdout is a closed pipe.
pub fn write_line(line: impl Display) -> Result<(), OutputError> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(OutputError)
}

/// Prints an error message to stderr. Ignores a failure, because there is no other place to report it.
pub fn print_error(message: impl Display) {
    let _ = writeln!(io::stderr(), "caleida: {message}");
}

/// Escapes control characters and characters that change the text direction. Keeps line breaks and tabs.
pub fn escaped(text: &str) -> String {
    escape(text, |c| matches!(c, '\n' | '\t'))
}

/// Escapes like [`escaped`], and line breaks and tabs as well.
pub fn escaped_line(text: &str) -> String {
    escape(text, |_| false)
}

/// Indents JSON without changing keys, numbers and strings. Returns `None` if the input is not JSON.
pub fn indented(json: &[u8]) -> Option<String> {
    let _: serde::de::IgnoredAny = serde_json::from_slice(json).ok()?;
    let json = std::str::from_utf8(json).ok()?;
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0;
    let mut just_opened = false;
    let mut in_string = false;
    let mut after_backslash = false;
    for c in json.chars() {
        if in_string {
            out.push(c);
            in_string = after_backslash || c != '"';
            after_backslash = !after_backslash && c == '\\';
            continue;
        }
        match c {
            _ if c.is_ascii_whitespace() => continue,
            '}' | ']' => {
                depth -= 1;
                if !just_opened {
                    break_line(&mut out, depth);
                }
            }
            _ if just_opened => break_line(&mut out, depth),
            _ => {}
        }
        just_opened = matches!(c, '{' | '[');
        in_string = c == '"';
        out.push(c);
        match c {
            '{' | '[' => depth += 1,
            ',' => break_line(&mut out, depth),
            ':' => out.push(' '),
            _ => {}
        }
    }
    Some(out)
}

/// Whether to print colours: stdout is a terminal and `NO_COLOR` is not set (<https://no-color.org>).
pub fn has_colour() -> bool {
    std::io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn escape(text: &str, is_allowed: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let changes_direction =
            matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if (c.is_control() || changes_direction) && !is_allowed(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

fn break_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(escaped("a\u{1b}[2Jb\r\nc\td"), "a\\u{1b}[2Jb\\u{d}\nc\td");
        assert_eq!(escaped_line("a\nb\u{9b}\u{7f}"), "a\\u{a}b\\u{9b}\\u{7f}");
        assert_eq!(escaped("left\u{202e}thgir"), "left\\u{202e}thgir");
        assert_eq!(escaped("café ☃ 😀"), "café ☃ 😀");
    }

    #[test]
    fn json_is_indented_and_otherwise_unchanged() {
        let json = br#"{"b":1.50,"a":[],"c":{ },"d":[1,{"e":"x, {\"y\": [1]} \\"}],"a":2e400}"#;
        let expected = r#"{
  "b": 1.50,
  "a": [],
  "c": {},
  "d": [
    1,
    {
      "e": "x, {\"y\": [1]} \\"
    }
  ],
  "a": 2e400
}"#;
        assert_eq!(indented(json).as_deref(), Some(expected));
        assert_eq!(indented(b" \"text\" ").as_deref(), Some("\"text\""));
    }

    #[test]
    fn invalid_json_is_not_indented() {
        for bad in [b"".as_slice(), b"{", b"a=b", b"\"\xff\"", b"{}}"] {
            assert_eq!(indented(bad), None, "{bad:?}");
        }
        assert_eq!(indented("[".repeat(100_000).as_bytes()), None);
    }

    proptest::proptest! {
        #[test]
        fn indenting_keeps_the_meaning(text in "[ -~é\\\\\"]{0,20}", number in proptest::num::i64::ANY) {
            let json = serde_json::json!({ "a": [text, number, {}, []], text.clone(): { "b": null } });
            let text = indented(json.to_string().as_bytes()).unwrap();
            proptest::prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), json);
        }
    }
}
