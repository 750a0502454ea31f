use serde_json::{Value, json};

use super::*;

pub(super) fn filter(value: &Value) -> CompiledFilter {
    CompiledFilter::new(&parse(value).unwrap_or_else(|error| panic!("{value}: {error}")))
}

pub(super) fn parse(value: &Value) -> Result<Filter, InvalidFilter> {
    Filter::parse(&raw(&value.to_string()))
}

pub(super) fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn matches(condition: &Value, data: &str) -> bool {
    filter(&json!({ "all": [condition] })).matches(&raw(data))
}

#[test]
fn conditions_are_met_by_these_values() {
    for (condition, met, unmet) in [
        (
            json!({ "field": "a", "op": "eq", "value": "x" }),
            &[r#"{"a":"x"}"#, r#"{"a":"\u0078"}"#, r#"{"a":1,"a":"x"}"#][..],
            &[
                r#"{"a":"X"}"#,
                r#"{"a":["x"]}"#,
                "{}",
                r#"{"a":"x","a":1}"#,
                r#"{"b":{"a":"x"}}"#,
            ][..],
        ),
        (
            json!({ "field": "a", "op": "eq", "value": 1 }),
            &[r#"{"a":1}"#, r#"{"a":1.00}"#, r#"{"a":10e-1}"#],
            &[
                r#"{"a":"1"}"#,
                r#"{"a":true}"#,
                r#"{"a":1.0000000000000000000001}"#,
            ],
        ),
        (
            json!({ "field": "a", "op": "eq", "value": null }),
            &[r#"{"a":null}"#],
            &["{}", r#"{"a":0}"#, r#"{"a":""}"#, r#"{"a":{}}"#],
        ),
        (
            json!({ "field": "a", "op": "ne", "value": "x" }),
            &[r#"{"a":"y"}"#, r#"{"a":null}"#, "{}", r#"{"a":["x"]}"#],
            &[r#"{"a":"x"}"#],
        ),
        (
            json!({ "field": "a", "op": "in", "value": ["x", 2, null] }),
            &[r#"{"a":"x"}"#, r#"{"a":2.0}"#, r#"{"a":null}"#],
            &[r#"{"a":"2"}"#, "{}", r#"{"a":[2]}"#],
        ),
        (
            json!({ "field": "a", "op": "contains", "value": "ö" }),
            &[r#"{"a":"schön"}"#, r#"{"a":["x","ö"]}"#, r#"{"a":"\u00f6"}"#],
            &[r#"{"a":"SCHÖN"}"#, r#"{"a":["schön"]}"#, r#"{"a":{"ö":1}}"#, "{}"],
        ),
        (
            json!({ "field": "a", "op": "contains", "value": 5 }),
            &[r#"{"a":[5.0]}"#],
            &[r#"{"a":"15"}"#, r#"{"a":5}"#, r#"{"a":["5"]}"#],
        ),
        (
            json!({ "field": "a.b", "op": "gt", "value": -0.5 }),
            &[r#"{"a":{"b":-0.4999999999999999999}}"#, r#"{"a":{"b":1e400}}"#],
            &[
                r#"{"a":{"b":-0.5}}"#,
                r#"{"a":{"b":"1"}}"#,
                r#"{"a":1e400}"#,
                r#"{"a.b":1}"#,
                "{}",
            ],
        ),
        (
            json!({ "field": "a", "op": "lt", "value": 9_007_199_254_740_993_u64 }),
            &[r#"{"a":9007199254740992}"#],
            &[r#"{"a":9007199254740993}"#, r#"{"a":9007199254740994}"#],
        ),
        (
            json!({ "field": "a", "op": "exists" }),
            &[r#"{"a":null}"#, r#"{"a":[]}"#, r#"{"a":false}"#],
            &["{}", r#"{"A":1}"#],
        ),
        (
            json!({ "field": "a", "op": "missing" }),
            &["{}"],
            &[r#"{"a":null}"#],
        ),
        (
            json!({ "field": "a.0.b", "op": "eq", "value": true }),
            &[r#"{"a":[{"b":true}]}"#, r#"{"a":{"0":{"b":true}}}"#],
            &[r#"{"a":[{},{"b":true}]}"#, r#"{"a":[]}"#, r#"{"a":"x"}"#],
        ),
        (
            json!({ "field": "größe.é", "op": "exists" }),
            &[r#"{"größe":{"é":1}}"#, r#"{"gr\u00f6\u00dfe":{"\u00e9":1}}"#],
            &[r#"{"größe":{"e\u0301":1}}"#],
        ),
    ] {
        for data in met {
            assert!(matches(&condition, data), "{condition} for {data}");
        }
        for data in unmet {
            assert!(!matches(&condition, data), "{condition} for {data}");
        }
    }
}

#[test]
fn numbers_of_a_filter_keep_all_digits() {
    let text = r#"{"all":[{"field":"a","op":"gt","value":1.0000000000000000000001},{"field":"a","op":"lt","value":1e400}]}"#;
    let filter: Filter = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&filter).unwrap(), text);
    let compiled = CompiledFilter::new(&filter);
    assert!(!compiled.matches(&raw(r#"{"a":1}"#)));
    assert!(compiled.matches(&raw(r#"{"a":1.0000000000000000000002}"#)));
    assert!(!compiled.matches(&raw(r#"{"a":1e400}"#)));
}

#[test]
fn the_excluding_condition_is_named() {
    let score = json!({ "field": "score", "op": "lt", "value": 0 });
    let tag = json!({ "field": "tags", "op": "contains", "value": "urgent" });
    let email = json!({ "field": "channel", "op": "eq", "value": "email" });
    let all = filter(&json!({ "all": [email, { "any": [score, tag] }] }));
    let excluded = |data: &str| all.excluded_by(&raw(data)).unwrap_or("matches".to_owned());
    for (data, expected) in [
        (r#"{"channel":"email","score":-1}"#, "matches"),
        (r#"{"channel":"email","score":1,"tags":["urgent"]}"#, "matches"),
        (r#"{"channel":"phone","score":-1}"#, "channel is “email”"),
        (
            r#"{"channel":"email","score":1}"#,
            "score is less than 0 or tags contains “urgent”",
        ),
    ] {
        assert_eq!(excluded(data), expected, "{data}");
    }
    let filter = parse(&json!({ "all": [email, { "any": [score, tag] }] })).unwrap();
    assert_eq!(
        filter.to_string(),
        "channel is “email” and (score is less than 0 or tags contains “urgent”)"
    );
}

#[test]
fn invalid_filters_say_what_to_do() {
    let condition = json!({ "field": "a", "op": "exists" });
    let many = vec![condition.clone(); Filter::MAX_CONDITIONS + 1];
    for (value, part) in [
        (json!([]), "“all” or “any”"),
        (json!({}), "“all” or “any”"),
        (json!({ "all": [], "any": [] }), "“all” or “any”"),
        (json!({ "all": {} }), "“all” or “any”"),
        (json!({ "all": [] }), "Add a condition"),
        (json!({ "all": [{ "any": [] }] }), "Add a condition"),
        (
            json!({ "all": [{ "any": [{ "all": [condition] }] }] }),
            "two levels",
        ),
        (json!({ "all": many }), "at most 50"),
        (json!({ "any": [condition, 1] }), "Condition 2: Use an object"),
        (json!({ "any": [["a", "eq", 1]] }), "Condition 1: Use an object"),
        (json!({ "any": [{ "field": "a" }] }), "Use an object"),
        (
            json!({ "any": [{ "field": "a", "op": "exists", "vale": 1 }] }),
            "Use an object",
        ),
        (
            json!({ "any": [{ "field": "a..b", "op": "exists" }] }),
            "empty names",
        ),
        (
            json!({ "any": [{ "field": "a.".repeat(10) + "a", "op": "exists" }] }),
            "10 levels",
        ),
        (
            json!({ "any": [{ "field": "a".repeat(201), "op": "exists" }] }),
            "200 characters",
        ),
        (
            json!({ "any": [{ "field": "a", "op": "=", "value": 1 }] }),
            "“=” is not an operator",
        ),
        (json!({ "any": [{ "field": "a", "op": "eq" }] }), "Use a text"),
        (
            json!({ "any": [{ "field": "a", "op": "eq", "value": [1] }] }),
            "Use a text",
        ),
        (
            json!({ "any": [{ "field": "a", "op": "gt", "value": "1" }] }),
            "Use a number",
        ),
        (
            json!({ "any": [{ "field": "a", "op": "in", "value": [] }] }),
            "1 to 100 values",
        ),
        (
            json!({ "any": [{ "field": "a", "op": "in", "value": "x" }] }),
            "1 to 100 values",
        ),
        (
            json!({ "any": [{ "field": "a", "op": "exists", "value": null }] }),
            "Remove the value",
        ),
        (
            json!({ "any": [{ "field": "a", "op": "eq", "value": "x".repeat(501) }] }),
            "500 characters",
        ),
    ] {
        let error = parse(&value).unwrap_err().to_string();
        assert!(error.contains(part), "{value}: {error}");
    }
}

#[test]
fn contradictions_are_found() {
    let c = |op: &str, value: Value| json!({ "field": "a", "op": op, "value": value });
    let (x, y) = (c("eq", json!("x")), c("eq", json!("y")));
    let exists = json!({ "field": "a", "op": "exists" });
    let missing = json!({ "field": "a", "op": "missing" });
    let other = json!({ "field": "b", "op": "eq", "value": "y" });
    for filter in [
        json!({ "all": [x, y] }),
        json!({ "all": [x, missing] }),
        json!({ "all": [exists, missing] }),
        json!({ "all": [x, c("ne", json!("x"))] }),
        json!({ "all": [c("in", json!(["x", 1])), c("in", json!([true, "y"]))] }),
        json!({ "all": [c("in", json!(["x", "y"])), c("contains", json!("z"))] }),
        json!({ "all": [x, c("gt", json!(0))] }),
        json!({ "all": [c("gt", json!(1)), c("lt", json!(1))] }),
        json!({ "all": [c("gt", json!(1)), c("gt", json!(5)), c("lt", json!(2))] }),
        json!({ "all": [c("gt", json!(1)), c("contains", json!(1))] }),
        json!({ "all": [x, other, { "any": [y, missing] }] }),
        json!({ "any": [{ "all": [x, y] }, { "all": [exists, missing] }] }),
        json!({ "all": [{ "all": [x, y] }] }),
    ] {
        assert!(parse(&filter).unwrap().is_contradiction(), "{filter}");
    }
    for filter in [
        json!({ "all": [x, other] }),
        json!({ "any": [x, y] }),
        json!({ "all": [{ "any": [x, y] }] }),
        json!({ "all": [x, { "any": [y, other] }] }),
        json!({ "any": [{ "all": [x, y] }, x] }),
        json!({ "all": [c("gt", json!(1)), c("lt", json!(1.1))] }),
        json!({ "all": [c("ne", json!("x")), missing] }),
        json!({ "all": [c("eq", json!(1)), c("eq", json!(1.0))] }),
        json!({ "all": [c("contains", json!("x")), c("contains", json!("y"))] }),
    ] {
        assert!(!parse(&filter).unwrap().is_contradiction(), "{filter}");
    }
}
