//! Numbers and counts as text.

use crate::store::OpenDeliveries;

/// Formats a count with its noun: `1 webhook`, `3 webhooks`.
pub fn pluralize(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        n => format!("{} {many}", format_number(n)),
    }
}

/// Formats a number of open deliveries: `1 delivery`, `12 deliveries`. Above the limit up to which the store counts,
/// returns `more than 10,000 deliveries`.
pub fn format_open_deliveries(count: u64) -> String {
    if count > OpenDeliveries::COUNT_LIMIT {
        format!(
            "more than {} deliveries",
            format_number(OpenDeliveries::COUNT_LIMIT)
        )
    } else {
        pluralize(count, "delivery", "deliveries")
    }
}

/// Formats a number with thousands separators: `10,000`.
pub fn format_number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_counts_with_separators_and_plurals() {
        let numbers: Vec<_> = [0, 999, 1_000, 1_234_567].map(format_number).into();
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
        let open: Vec<_> = [0, 1, 2, 10_000, 10_001].map(format_open_deliveries).into();
        assert_eq!(
            open,
            [
                "0 deliveries",
                "1 delivery",
                "2 deliveries",
                "10,000 deliveries",
                "more than 10,000 deliveries"
            ]
        );
    }
}
