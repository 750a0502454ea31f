//! Filters that no event can match.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{
    Condition, FieldPath, Filter, Item, Mode,
    condition::{Scalar, Test},
};

impl Filter {
    /// Returns whether the conditions contradict each other, so that no event can match. Not every such filter is found.
    ///
    /// | filter | contradiction |
    /// |---|---|
    /// | `a` is “x” and `a` is “y” | yes |
    /// | `a` is greater than 1 and `a` is less than 1 | yes |
    /// | `a` is “x” and (`a` is “y” or `a` does not exist) | yes |
    /// | `a` is “x” or `a` is “y” | no |
    pub fn is_contradiction(&self) -> bool {
        match self.mode {
            Mode::Any => self.items.iter().all(|item| match item {
                Item::Group(Mode::All, list) => contradict(list),
                Item::Condition(_) | Item::Group(Mode::Any, _) => false,
            }),
            Mode::All => {
                let required = self.items.iter().flat_map(|item| match item {
                    Item::Condition(condition) => std::slice::from_ref(condition),
                    Item::Group(Mode::All, list) => list,
                    Item::Group(Mode::Any, _) => &[],
                });
                let required: Vec<_> = required.collect();
                let excluded = |choice| contradict(required.iter().copied().chain([choice]));
                contradict(required.iter().copied())
                    || self.items.iter().any(|item| match item {
                        Item::Group(Mode::Any, list) => list.iter().all(excluded),
                        Item::Condition(_) | Item::Group(Mode::All, _) => false,
                    })
            }
        }
    }
}

/// Returns whether these conditions cannot all be met.
fn contradict<'f>(conditions: impl IntoIterator<Item = &'f Condition>) -> bool {
    let mut by_field: BTreeMap<&FieldPath, Vec<&Test>> = BTreeMap::new();
    for condition in conditions {
        by_field
            .entry(&condition.field)
            .or_default()
            .push(&condition.test);
    }
    by_field
        .values()
        .any(|tests| !can_be_missing(tests) && !has_value(tests))
}

fn can_be_missing(tests: &[&Test]) -> bool {
    tests.iter().all(|test| test.is_met(None))
}

/// Returns whether a value may meet all tests.
fn has_value(tests: &[&Test]) -> bool {
    if tests.contains(&&Test::Missing) {
        return false;
    }
    let values = tests.iter().find_map(|test| match test {
        Test::Eq(value) => Some(std::slice::from_ref(value)),
        Test::In(values) => Some(&**values),
        _ => None,
    });
    if let Some(values) = values {
        let meets_all = |value: &Scalar| {
            let json: Option<Box<RawValue>> = serde_json::value::to_raw_value(value).ok();
            tests.iter().all(|test| test.is_met(json.as_deref()))
        };
        return values.iter().any(meets_all);
    }
    let above = tests.iter().filter_map(|test| match test {
        Test::Gt(limit) => Some(limit),
        _ => None,
    });
    let below = tests.iter().filter_map(|test| match test {
        Test::Lt(limit) => Some(limit),
        _ => None,
    });
    let (lower, upper) = (above.max(), below.min());
    let is_number = lower.is_some() || upper.is_some();
    let is_text_or_array = tests.iter().any(|test| matches!(test, Test::Contains(_)));
    let is_empty = lower.zip(upper).is_some_and(|(lower, upper)| lower >= upper);
    !(is_empty || is_number && is_text_or_array)
}
