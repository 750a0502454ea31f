//! Numbers of JSON, compared exactly.

use std::{cmp::Ordering, fmt};

/// A number as it is written in JSON, of any size and precision: `1`, `1.0` and `10e-1` are equal.
///
/// Not a float, in which `9007199254740993` equals `9007199254740992`. Not a decimal of a library either: they expand
/// `1e999999999`, or reject it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    is_negative: bool,
    /// Without zeros at both ends. Empty for zero.
    digits: String,
    /// The value is 0.`digits` × 10^`exponent`.
    exponent: i64,
}

impl Decimal {
    /// Parses a number of JSON. Exponents beyond 64 bits saturate.
    pub fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, power) = match text.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, parse_power(power)?),
            None => (text, 0),
        };
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_number = !integer.is_empty()
            && (integer == "0" || !integer.starts_with('0'))
            && !mantissa.ends_with('.')
            && [integer, fraction]
                .iter()
                .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        if !is_number {
            return None;
        }
        let all = format!("{integer}{fraction}");
        let leading_zeros = all.len() - all.trim_start_matches('0').len();
        let digits = all.trim_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self {
                is_negative: false,
                digits,
                exponent: 0,
            });
        }
        let point = i64::try_from(integer.len()).ok()? - i64::try_from(leading_zeros).ok()?;
        Some(Self {
            is_negative,
            digits,
            exponent: power.saturating_add(point),
        })
    }

    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Both fractions start with a digit other than zero, so the larger exponent decides.
            (false, false) => self
                .exponent
                .cmp(&other.exponent)
                .then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

fn parse_power(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let saturated = digits.parse().unwrap_or(i64::MAX);
    Some(if is_negative { -saturated } else { saturated })
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_magnitude(other),
            (true, true) => other.cmp_magnitude(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    /// Writes the number without an exponent if that is not much longer than its digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if self.is_negative {
            f.write_str("-")?;
        }
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        match self.exponent {
            point if (length..=21).contains(&point) => {
                let zeros = usize::try_from(point - length).unwrap_or_default();
                write!(f, "{}{}", self.digits, "0".repeat(zeros))
            }
            point if (1..length).contains(&point) => {
                let (integer, fraction) = self.digits.split_at(usize::try_from(point).unwrap_or_default());
                write!(f, "{integer}.{fraction}")
            }
            point if (-6..=0).contains(&point) => {
                let zeros = usize::try_from(-point).unwrap_or_default();
                write!(f, "0.{}{}", "0".repeat(zeros), self.digits)
            }
            point => {
                let (first, rest) = self.digits.split_at(1);
                let dot = if rest.is_empty() { "" } else { "." };
                write!(f, "{first}{dot}{rest}e{}", point.saturating_sub(1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn spellings_of_a_number_are_equal() {
        for spellings in [
            &["0", "-0", "0.0", "0e5", "-0.00E-3"][..],
            &["1", "1.0", "10e-1", "0.1e1", "1e0", "1E+00", "0.001e3"],
            &["-0.5", "-5e-1", "-0.50", "-50e-2"],
            &["1e400", "10e399", "0.1e401"],
            &["1e99999999999999999999", "10e99999999999999999999"],
        ] {
            for pair in spellings.windows(2) {
                assert_eq!(decimal(pair[0]), decimal(pair[1]), "{pair:?}");
            }
        }
    }

    #[test]
    fn numbers_are_compared_exactly() {
        let ascending = [
            "-1e400",
            "-10",
            "-9.99",
            "-1e-400",
            "0",
            "1e-400",
            "0.1",
            "0.10000000000000000001",
            "0.5",
            "1",
            "1.5",
            "2",
            "10",
            "9007199254740992",
            "9007199254740993",
            "1e400",
            "1.1e400",
        ];
        for pair in ascending.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn only_numbers_of_json_are_parsed() {
        for text in [
            "", "-", "+1", "01", "1.", ".5", "1e", "1e+", "--1", "1_000", "0x1", "NaN", "Infinity", "1 ",
            "١", "1.e1", "1e1.5",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_that_of_integers(a in any::<i64>(), b in any::<i64>()) {
            prop_assert_eq!(decimal(&a.to_string()).cmp(&decimal(&b.to_string())), a.cmp(&b));
        }

        #[test]
        fn display_is_parsed_back(text in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,6})?") {
            let number = decimal(&text);
            prop_assert_eq!(Decimal::parse(&number.to_string()), Some(number));
        }

        #[test]
        fn order_is_that_of_shifted_integers(a in -10_000_i32..10_000, b in -10_000_i32..10_000, shift in 0_u32..5) {
            // Both with as many decimal places.
            let text = |number: i32| format!("{number}e-{shift}");
            prop_assert_eq!(decimal(&text(a)).cmp(&decimal(&text(b))), a.cmp(&b));
        }
    }
}
