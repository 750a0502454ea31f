//! Text in JSON that is passed on without being decoded.

use std::fmt::Write as _;

/// Maximum length of a pointer in a message, in characters.
const MAX_POINTER: usize = 200;

/// A string or field name with a lone surrogate, such as `"\ud83d"`: half of a pair that is not followed by the other
/// half. It is valid by the grammar of JSON, but is not text, and most parsers reject the whole document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "The {subject} at {pointer} contains half of a surrogate pair, which most JSON parsers reject. Cut texts between \
     characters, not inside an emoji.",
    subject = if *.is_name { "field name" } else { "string" }
)]
pub struct LoneSurrogate {
    /// JSON pointer (RFC 6901). The escape sequences of a name with a lone surrogate are kept.
    pub pointer: String,
    /// Whether it is in a field name.
    pub is_name: bool,
}

/// Finds the first lone surrogate in a valid JSON document.
///
/// | JSON | pointer |
/// |---|---|
/// | `{"a":["x","\ud83d"]}` | `/a/1` |
/// | `{"a/b":"\ude00\ud83d"}` | `/a~1b` |
/// | `{"a":{"\ud83d":1}}` | `/a/\ud83d`, in a name |
/// | `{"a":"\ud83d\ude00","b":"\\ud83d"}` | none |
pub fn find_lone_surrogate(json: &str) -> Option<LoneSurrogate> {
    // Most documents have no escaped surrogates. The hexadecimal digits of all surrogates start with `d`.
    if !json.contains("\\ud") && !json.contains("\\uD") {
        return None;
    }
    let bytes = json.as_bytes();
    // The nesting is not limited, so this is not recursive.
    let mut containers: Vec<Container<'_>> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => containers.push(Container::Object(None)),
            b'[' => containers.push(Container::Array(0)),
            b'}' | b']' => {
                containers.pop();
            }
            b',' => match containers.last_mut() {
                Some(Container::Array(index)) => *index += 1,
                Some(Container::Object(name)) => *name = None,
                None => {}
            },
            b'"' => {
                let string = quoted_string(&json[at..]);
                at += string.len() - 1;
                let mut is_name = false;
                if let Some(Container::Object(name @ None)) = containers.last_mut() {
                    *name = Some(string);
                    is_name = true;
                }
                if has_lone_surrogate(string) {
                    let pointer = pointer(&containers);
                    return Some(LoneSurrogate { pointer, is_name });
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// An object or array that is being read.
enum Container<'a> {
    /// Contains the quoted name of the current field, once it was read.
    Object(Option<&'a str>),
    /// Contains the current index.
    Array(usize),
}

/// Returns the string at the start of the text, with its quotes.
fn quoted_string(text: &str) -> &str {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    text.get(..=at).unwrap_or(text)
}

fn has_lone_surrogate(string: &str) -> bool {
    let bytes = string.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        at += match (bytes[at], escaped_unit(string, at)) {
            (_, Some(0xd800..=0xdbff)) => match escaped_unit(string, at + 6) {
                Some(0xdc00..=0xdfff) => 12,
                _ => return true,
            },
            (_, Some(0xdc00..=0xdfff)) => return true,
            (b'\\', _) => 2,
            _ => 1,
        };
    }
    false
}

/// Returns the UTF-16 code unit that is escaped at this position.
fn escaped_unit(string: &str, at: usize) -> Option<u16> {
    let digits = string.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok()
}

fn pointer(containers: &[Container<'_>]) -> String {
    let mut pointer = String::new();
    for container in containers {
        match container {
            Container::Array(index) => {
                let _ = write!(pointer, "/{index}");
            }
            Container::Object(name) => {
                let quoted = name.unwrap_or_default();
                let name = serde_json::from_str(quoted)
                    .unwrap_or_else(|_| quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned());
                let _ = write!(pointer, "/{}", name.replace('~', "~0").replace('/', "~1"));
            }
        }
        if pointer.chars().count() > MAX_POINTER {
            pointer = pointer.chars().take(MAX_POINTER).chain(['…']).collect();
            break;
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_are_found_with_their_place() {
        for (json, pointer, is_name) in [
            (r#"{"a":"\ud83d"}"#, "/a", false),
            (r#"{"a":["x","\uD83D end"]}"#, "/a/1", false),
            (r#"{"a/b":{"c~d":"\ude00\ud83d"}}"#, "/a~1b/c~0d", false),
            (r#"{"a":"\ud83d\ud83d\ude00"}"#, "/a", false),
            (r#"{"a":"\ud83d\n\ude00"}"#, "/a", false),
            (r#"{"a":"\ud83dx\ude00"}"#, "/a", false),
            (r#"{"a":"\\\ud83d"}"#, "/a", false),
            (
                r#"{"a":1,"\u00e9":[[],{},[1,{"z":"\udfff"}]]}"#,
                "/é/2/1/z",
                false,
            ),
            (r#"{"a":{"x\ud83d":1}}"#, "/a/x\\ud83d", true),
            (r#"{"\udc00":"\ud83d"}"#, "/\\udc00", true),
            (r#"{"a":{"b":1},"c":"\ud800"}"#, "/c", false),
            (r#"{"a,}]":"\ud800"}"#, "/a,}]", false),
        ] {
            let found = find_lone_surrogate(json);
            let expected = LoneSurrogate {
                pointer: pointer.to_owned(),
                is_name,
            };
            assert_eq!(found, Some(expected), "{json}");
        }
    }

    #[test]
    fn pairs_and_other_escapes_are_accepted() {
        for json in [
            r#"{"a":"\ud83d\ude00"}"#,
            r#"{"\uD83D\uDE00":"\uD83D\uDE00\ud83d\ude00"}"#,
            r#"{"a":"\\ud83d"}"#,
            r#"{"a":"\\\\ud83d","b":"\"\\udc00"}"#,
            r#"{"a":"\ud7ff\ue000\uffff\u0000"}"#,
            r#"{"a":"😀"}"#,
            r#"{"a":1e999,"a":12345678901234567890.5}"#,
        ] {
            assert_eq!(find_lone_surrogate(json), None, "{json}");
        }
    }

    #[test]
    fn deep_nesting_and_long_names_are_bounded() {
        let depth = 100_000;
        let json = format!("{}\"\\ud800\"{}", "[".repeat(depth), "]".repeat(depth));
        let found = find_lone_surrogate(&json).unwrap();
        assert_eq!(found.pointer.chars().count(), MAX_POINTER + 1);
        let json = format!(r#"{{"{}":"\ud800"}}"#, "é".repeat(10_000));
        assert!(find_lone_surrogate(&json).unwrap().pointer.ends_with("é…"));
    }
}
