//! Text that users type, in one form, so that texts that look the same are equal.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji, EmojiModifier, ExtendedPictographic,
        GeneralCategory, JoiningType, PrependedConcatenationMark,
    },
};

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
const TEXT_STYLE: char = '\u{fe0e}';
const EMOJI_STYLE: char = '\u{fe0f}';

/// Returns the text in Unicode normalization form C. The same letter can be typed in several forms: “é” is one code point
/// on most systems, and two in file names of macOS.
pub fn normalize(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Reason why a text is not a valid line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidLine {
    /// Nothing in it is visible.
    Empty,
    /// It has a line break or another control character.
    Control,
    Invisible(InvisibleCharacter),
}

/// A character that cannot be seen, or that only changes the direction of the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("U+{:04X}", u32::from(*.0))]
pub struct InvisibleCharacter(char);

/// Returns a line of text in normalization form C, without spaces around it and with single spaces in it.
pub fn parse_line(text: &str) -> Result<String, InvalidLine> {
    let text = normalize(text);
    if text.trim().chars().any(is_control) {
        return Err(InvalidLine::Control);
    }
    if let Some(character) = find_invisible(&text) {
        return Err(InvalidLine::Invisible(character));
    }
    if !text.chars().any(is_visible) {
        return Err(InvalidLine::Empty);
    }
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Returns the first character that cannot be seen.
///
/// Invisible characters that change how their neighbors look are allowed between such neighbors: joiners in emoji and in
/// scripts that need them, as in domain names (RFC 5892, appendix A), and the style of an emoji.
pub fn find_invisible(text: &str) -> Option<InvisibleCharacter> {
    if text.is_ascii() {
        return None;
    }
    let mut previous = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if is_invisible(c) && !is_needed(c, previous, characters.peek().copied()) {
            return Some(InvisibleCharacter(c));
        }
        previous = Some(c);
    }
    None
}

/// Removes spaces and invisible characters around a text. Many programs add them to copied text.
pub fn trim_invisible(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

fn is_invisible(c: char) -> bool {
    let is_format = category(c) == GeneralCategory::Format
        && !CodePointSetData::new::<PrependedConcatenationMark>().contains(c);
    is_format || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

fn is_needed(c: char, previous: Option<char>, next: Option<char>) -> bool {
    let Some(previous) = previous else { return false };
    let is_pictograph = |c| CodePointSetData::new::<ExtendedPictographic>().contains(c);
    let after_virama = || {
        CodePointMapData::<CanonicalCombiningClass>::new().get(previous) == CanonicalCombiningClass::Virama
    };
    match c {
        TEXT_STYLE | EMOJI_STYLE => CodePointSetData::new::<Emoji>().contains(previous),
        ZERO_WIDTH_JOINER => {
            let after_emoji = is_pictograph(previous)
                || previous == EMOJI_STYLE
                || CodePointSetData::new::<EmojiModifier>().contains(previous);
            (after_emoji && next.is_some_and(is_pictograph)) || after_virama()
        }
        ZERO_WIDTH_NON_JOINER => {
            let joining = |c| CodePointMapData::<JoiningType>::new().get(c);
            let joins_next = matches!(
                joining(previous),
                JoiningType::DualJoining | JoiningType::LeftJoining
            );
            let joins_previous = next.is_some_and(|next| {
                matches!(
                    joining(next),
                    JoiningType::DualJoining | JoiningType::RightJoining
                )
            });
            (joins_next && joins_previous) || after_virama()
        }
        _ => false,
    }
}

fn is_control(c: char) -> bool {
    matches!(
        category(c),
        GeneralCategory::Control | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator
    )
}

/// Returns whether the character alone would be seen. Marks need a letter; the Braille blank has no dots.
fn is_visible(c: char) -> bool {
    let is_mark = matches!(
        category(c),
        GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark | GeneralCategory::EnclosingMark
    );
    !c.is_whitespace() && !is_mark && !is_invisible(c) && c != '\u{2800}'
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_look_the_same_are_equal() {
        for (typed, stored) in [
            ("Cafe\u{301}", "Café"),
            ("  Orders \u{a0} \u{3000}CRM ", "Orders CRM"),
            ("한\u{1100}\u{1161}", "한가"),
            ("A\u{30a}ngström \u{212b}", "Ångström Å"),
            ("नमस्ते", "नमस्ते"),
        ] {
            assert_eq!(parse_line(typed).as_deref(), Ok(stored));
            assert_eq!(parse_line(stored).as_deref(), Ok(stored));
        }
    }

    #[test]
    fn invisible_characters_are_named() {
        for c in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2060}',
            '\u{2063}',
            '\u{2066}',
            '\u{206a}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            let invalid = Err(InvalidLine::Invisible(InvisibleCharacter(c)));
            for text in [format!("a{c}b"), format!("{c}a"), format!("a{c}"), c.to_string()] {
                assert_eq!(parse_line(&text), invalid, "{}", text.escape_unicode());
            }
        }
        assert_eq!(InvisibleCharacter('\u{ad}').to_string(), "U+00AD");
    }

    #[test]
    fn characters_that_shape_emoji_and_words_are_allowed() {
        for text in [
            "⚠\u{fe0f} Alerts",
            "👩🏽\u{200d}💻 Team",
            "🏳\u{fe0f}\u{200d}🌈",
            "1\u{fe0f}\u{20e3}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "العربية ١٢٣",
            "\u{600}١",
        ] {
            assert_eq!(parse_line(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn line_needs_a_visible_character_and_no_line_break() {
        for text in ["", " ", "\t", "\u{a0}\u{3000}", "\u{2800}", "\u{301}"] {
            assert_eq!(
                parse_line(text),
                Err(InvalidLine::Empty),
                "{}",
                text.escape_unicode()
            );
        }
        for text in [
            "a\nb",
            "a\tb",
            "a\0",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{9b}",
        ] {
            assert_eq!(
                parse_line(text),
                Err(InvalidLine::Control),
                "{}",
                text.escape_unicode()
            );
        }
    }
}
