use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    tests::{filter, parse, raw},
    *,
};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let tree = scalar().prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[ab0]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[ab]", tree, 0..3).prop_map(|map| Value::Object(map.into_iter().collect()))
}

fn condition() -> impl Strategy<Value = Value> {
    let field = "[ab](\\.[ab01]){0,2}";
    prop_oneof![
        (
            field,
            prop::sample::select(vec!["eq", "ne", "contains"]),
            scalar()
        )
            .prop_map(|(field, op, value)| json!({ "field": field, "op": op, "value": value })),
        (field, prop::collection::vec(scalar(), 1..4))
            .prop_map(|(field, value)| json!({ "field": field, "op": "in", "value": value })),
        (field, prop::sample::select(vec!["gt", "lt"]), -3_i64..3)
            .prop_map(|(field, op, value)| json!({ "field": field, "op": op, "value": value })),
        (field, prop::sample::select(vec!["exists", "missing"]))
            .prop_map(|(field, op)| json!({ "field": field, "op": op })),
    ]
}

fn any_filter() -> impl Strategy<Value = Value> {
    let mode = || prop::sample::select(vec!["all", "any"]);
    let group =
        (mode(), prop::collection::vec(condition(), 1..4)).prop_map(|(mode, list)| json!({ mode: list }));
    let item = prop_oneof![2 => condition(), 1 => group];
    (mode(), prop::collection::vec(item, 1..4)).prop_map(|(mode, items)| json!({ mode: items }))
}

/// Evaluates the JSON form of a filter, whose numbers are small integers, in the simplest way.
fn reference(filter: &Value, data: &Value) -> bool {
    if let Some(list) = filter["all"].as_array() {
        return list.iter().all(|item| reference(item, data));
    }
    if let Some(list) = filter["any"].as_array() {
        return list.iter().any(|item| reference(item, data));
    }
    let field = filter["field"].as_str().unwrap();
    let found = field.split('.').try_fold(data, |value, segment| match value {
        Value::Array(list) => list.get(segment.parse::<usize>().ok()?),
        value => value.get(segment),
    });
    let expected = &filter["value"];
    match filter["op"].as_str().unwrap() {
        "eq" => found == Some(expected),
        "ne" => found != Some(expected),
        "in" => found.is_some_and(|value| expected.as_array().unwrap().contains(value)),
        "contains" => match found {
            Some(Value::Array(list)) => list.contains(expected),
            Some(Value::String(text)) => expected.as_str().is_some_and(|part| text.contains(part)),
            _ => false,
        },
        "gt" => found
            .and_then(Value::as_i64)
            .is_some_and(|number| number > expected.as_i64().unwrap()),
        "lt" => found
            .and_then(Value::as_i64)
            .is_some_and(|number| number < expected.as_i64().unwrap()),
        "exists" => found.is_some(),
        "missing" => found.is_none(),
        other => panic!("{other}"),
    }
}

proptest! {
    #[test]
    fn result_is_that_of_the_reference(value in any_filter(), data in document()) {
        let compiled = filter(&value);
        let data_text = raw(&data.to_string());
        let matches = compiled.matches(&data_text);
        prop_assert_eq!(matches, reference(&value, &data));
        prop_assert_eq!(compiled.excluded_by(&data_text).is_none(), matches);
        if matches {
            prop_assert!(!parse(&value).unwrap().is_contradiction());
        }
    }

    #[test]
    fn parsed_filters_survive_a_round_trip(value in any_filter()) {
        let filter = parse(&value).unwrap();
        let text = serde_json::to_string(&filter).unwrap();
        prop_assert_eq!(serde_json::from_str::<Filter>(&text).unwrap(), filter);
    }

    #[test]
    fn arbitrary_text_is_no_panic(text in any::<String>()) {
        let _ = serde_json::from_str::<Filter>(&text);
        let _ = text.parse::<FieldPath>();
        let _ = decimal::Decimal::parse(&text);
    }
}
