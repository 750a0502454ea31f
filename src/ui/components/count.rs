//! Numbers with their nouns.

use crate::store::OpenDeliveries;

/// `1 webhook`, `3 webhooks`
pub fn counted(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        n => format!("{} {many}", grouped(n)),
    }
}

/// `1 delivery`, `12 deliveries`, `more than 10,000 deliveries`: no further than they were counted.
pub fn open_deliveries(count: u64) -> String {
    if count > OpenDeliveries::COUNTED {
        format!("more than {} deliveries", grouped(OpenDeliveries::COUNTED))
    } else {
        counted(count, "delivery", "deliveries")
    }
}

/// `10,000`
pub fn grouped(number: u64) -> String {
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
    fn numbers_are_grouped_and_agree_with_their_nouns() {
        let grouped: Vec<_> = [0, 999, 1_000, 1_234_567].map(grouped).into();
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567"]);
        let open: Vec<_> = [0, 1, 2, 10_000, 10_001].map(open_deliveries).into();
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
