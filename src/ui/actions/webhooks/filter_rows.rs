//! The filter of a webhook as rows of its form: conditions, and groups of conditions.
//!
//! Values are typed as text. `5`, `true`, `false` and `null` are a number, truth values and null; in quotes, they are
//! text.

use serde_json::value::RawValue;

use crate::domain::filter::{Condition, Filter, Item, Mode, Operator, Scalar};

/// The rows of a filter. No rows are no filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterRows {
    pub mode: Mode,
    pub items: Vec<FilterItem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterItem {
    Row(ConditionRow),
    Group(Mode, Vec<ConditionRow>),
}

/// The fields of a condition, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConditionRow {
    pub field: String,
    pub operator: String,
    pub value: String,
}

impl FilterRows {
    /// Returns the rows of a saved filter.
    pub fn saved(filter: Option<&Filter>) -> Self {
        let Some(filter) = filter else {
            return Self::default();
        };
        let items = filter.items().iter().map(|item| match item {
            Item::Condition(condition) => FilterItem::Row(ConditionRow::saved(condition)),
            Item::Group(mode, list) => {
                FilterItem::Group(*mode, list.iter().map(ConditionRow::saved).collect())
            }
        });
        Self {
            mode: filter.mode(),
            items: items.collect(),
        }
    }

    /// Returns the filter as JSON. It can be invalid. Empty without rows.
    pub fn to_json(&self) -> String {
        if self.items.is_empty() {
            return String::new();
        }
        let items = self.items.iter().map(|item| match item {
            FilterItem::Row(row) => row.to_json(),
            FilterItem::Group(mode, rows) => group(*mode, rows.iter().map(ConditionRow::to_json)),
        });
        group(self.mode, items)
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds an empty condition, to the group with this number from 1, or to no group.
    pub fn add_condition(&mut self, number: Option<usize>) {
        let row = ConditionRow::default();
        match number {
            None => self.items.push(FilterItem::Row(row)),
            Some(number) => {
                let mut groups = self.items.iter_mut().filter_map(|item| match item {
                    FilterItem::Group(_, rows) => Some(rows),
                    FilterItem::Row(_) => None,
                });
                if let Some(rows) = groups.nth(number.saturating_sub(1)) {
                    rows.push(row);
                }
            }
        }
    }

    /// Adds a group with an empty condition. Its mode differs from that of the filter, because otherwise it would be
    /// the same as without a group.
    pub fn add_group(&mut self) {
        let mode = match self.mode {
            Mode::All => Mode::Any,
            Mode::Any => Mode::All,
        };
        self.items
            .push(FilterItem::Group(mode, vec![ConditionRow::default()]));
    }

    /// Removes the condition with this number, from 1, and its group if it is the last one there.
    pub fn remove_condition(&mut self, number: usize) {
        let mut next = 0;
        let mut is_removed = || {
            next += 1;
            next == number
        };
        self.items.retain_mut(|item| match item {
            FilterItem::Row(_) => !is_removed(),
            FilterItem::Group(_, rows) => {
                rows.retain(|_| !is_removed());
                !rows.is_empty()
            }
        });
    }
}

impl Default for FilterRows {
    fn default() -> Self {
        Self {
            mode: Mode::All,
            items: Vec::new(),
        }
    }
}

fn group(mode: Mode, items: impl Iterator<Item = String>) -> String {
    let name: &str = mode.into();
    format!(r#"{{"{name}":[{}]}}"#, items.collect::<Vec<_>>().join(","))
}

impl ConditionRow {
    fn saved(condition: &Condition) -> Self {
        let is_list = condition.operator() == Operator::In;
        let values = condition.values();
        let texts: Vec<_> = values.iter().map(|value| typed(value, is_list)).collect();
        Self {
            field: condition.field().to_string(),
            operator: condition.operator().as_str().to_owned(),
            value: texts.join(", "),
        }
    }

    fn to_json(&self) -> String {
        let field = serde_json::json!(self.field.trim());
        let operator = serde_json::json!(self.operator);
        let value = match self.operator.parse() {
            Ok(Operator::In) => format!("[{}]", elements(&self.value).collect::<Vec<_>>().join(",")),
            _ if self.value.trim().is_empty() => {
                return format!(r#"{{"field":{field},"op":{operator}}}"#);
            }
            _ => scalar(&self.value),
        };
        format!(r#"{{"field":{field},"op":{operator},"value":{value}}}"#)
    }
}

/// Returns a typed value as JSON.
fn scalar(text: &str) -> String {
    let text = text.trim();
    match serde_json::from_str::<&RawValue>(text) {
        Ok(json) if !json.get().starts_with(['{', '[']) => json.get().to_owned(),
        _ => serde_json::json!(text).to_string(),
    }
}

/// Returns typed values, separated by commas that are not in quotes, as JSON.
fn elements(text: &str) -> impl Iterator<Item = String> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(move |c| {
        let separates = c == ',' && !is_quoted;
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        separates
    });
    parts.filter(|part| !part.trim().is_empty()).map(scalar)
}

/// Returns a value as it is typed, in quotes only if it would be read as something else.
fn typed(value: &Scalar, is_element: bool) -> String {
    let Scalar::Text(text) = value else {
        return value.to_string();
    };
    let quoted = serde_json::json!(text).to_string();
    let is_ambiguous =
        text.trim() != text || scalar(text) != quoted || (is_element && text.contains([',', '"']));
    if is_ambiguous || text.is_empty() {
        quoted
    } else {
        text.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(field: &str, operator: &str, value: &str) -> ConditionRow {
        ConditionRow {
            field: field.to_owned(),
            operator: operator.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn typed_values_become_json() {
        for (operator, typed, json) in [
            ("eq", "email", r#""email""#),
            ("eq", " 5 ", "5"),
            ("eq", "-1.50", "-1.50"),
            ("eq", "12345678901234567890.1", "12345678901234567890.1"),
            ("eq", "true", "true"),
            ("eq", "null", "null"),
            ("eq", r#""5""#, r#""5""#),
            ("eq", r#""""#, r#""""#),
            ("eq", "01", r#""01""#),
            ("eq", "1,5", r#""1,5""#),
            ("eq", "[1]", r#""[1]""#),
            ("eq", r#"say "hi""#, r#""say \"hi\"""#),
            ("in", "a, b,,5", r#"["a","b",5]"#),
            ("in", r#""a, b", c"#, r#"["a, b","c"]"#),
            ("in", r#""a \", b", c"#, r#"["a \", b","c"]"#),
            ("in", "", "[]"),
        ] {
            let expected = format!(r#"{{"field":"f","op":"{operator}","value":{json}}}"#);
            assert_eq!(row(" f ", operator, typed).to_json(), expected, "{typed}");
        }
        assert_eq!(row("f", "exists", "").to_json(), r#"{"field":"f","op":"exists"}"#);
    }

    #[test]
    fn saved_filters_survive_the_form() {
        for json in [
            r#"{"all":[{"field":"a","op":"eq","value":"x"}]}"#,
            r#"{"any":[{"field":"a","op":"eq","value":"5"},{"field":"a","op":"eq","value":5},{"field":"a","op":"ne","value":null}]}"#,
            r#"{"all":[{"all":[{"field":"a","op":"in","value":["a, b","\"","c",1,true]}]},{"field":"b","op":"missing"}]}"#,
            r#"{"any":[{"field":"a","op":"contains","value":""},{"any":[{"field":"a","op":"eq","value":" x "}]},{"all":[{"field":"a","op":"gt","value":1.5},{"field":"a","op":"exists"}]}]}"#,
            r#"{"all":[{"field":"a","op":"in","value":["a,b"]},{"field":"a","op":"in","value":["x"]}]}"#,
        ] {
            let filter = Filter::parse_text(json).unwrap();
            let rows = FilterRows::saved(Some(&filter));
            assert_eq!(Filter::parse_text(&rows.to_json()), Ok(filter), "{rows:?}");
        }
        assert_eq!(FilterRows::saved(None).to_json(), "");
    }

    #[test]
    fn rows_are_added_and_removed() {
        let mut rows = FilterRows::default();
        rows.add_condition(None);
        rows.add_group();
        rows.add_condition(Some(1));
        rows.add_condition(Some(9));
        rows.add_condition(None);
        let sizes = |rows: &FilterRows| -> Vec<usize> {
            let size = |item: &FilterItem| match item {
                FilterItem::Row(_) => 0,
                FilterItem::Group(mode, rows) => {
                    assert_eq!(*mode, Mode::Any);
                    rows.len()
                }
            };
            rows.items.iter().map(size).collect()
        };
        assert_eq!(sizes(&rows), [0, 2, 0]);
        rows.remove_condition(3);
        assert_eq!(sizes(&rows), [0, 1, 0]);
        rows.remove_condition(9);
        rows.remove_condition(2);
        assert_eq!(sizes(&rows), [0, 0]);
        rows.remove_condition(1);
        rows.remove_condition(1);
        assert!(rows.is_empty());
    }
}
