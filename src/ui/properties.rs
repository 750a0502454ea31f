//! Addresses that anybody may have written: read as far as they can be, and the same when they are written again.

use proptest::prelude::*;

use crate::ui::{
    actions::webhooks::WebhookForm,
    request::{
        local_path::LocalPath,
        query::{EventsQuery, ListQuery, LogQuery},
    },
};

const QUERY: &str = "((q|event|status|page|type|webhook|since|until|before|unmatched)=[ -~é]{0,20}&?){0,6}";

proptest! {
    #[test]
    fn queries(query in prop_oneof![any::<String>(), QUERY.prop_map(|text| text)]) {
        let list = ListQuery::parse(&query).on("/list");
        let again = list.split_once('?').map_or("", |(_, query)| query);
        prop_assert_eq!(ListQuery::parse(again).on("/list"), list.clone());
        let log = LogQuery::parse(&query, None).href();
        let again = log.split_once('?').map_or("", |(_, query)| query);
        prop_assert_eq!(LogQuery::parse(again, None).href(), log.clone());
        EventsQuery::parse(&query);
        // They are written into pages and headers.
        for address in [list, log] {
            prop_assert!(LocalPath::parse(&address).is_some(), "{}", address);
        }
    }

    #[test]
    fn forms(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = serde_html_form::from_bytes::<WebhookForm>(&body);
    }

    #[test]
    fn paths(text in prop_oneof![any::<String>(), "[/\\\\]{1,2}[ -~]{0,20}".prop_map(|text| text)]) {
        if let Some(path) = LocalPath::parse(&text) {
            let base = url::Url::parse("https://caleida.example/deep/inside").unwrap();
            let led_to = base.join(path.as_str()).unwrap();
            prop_assert_eq!(led_to.host_str(), Some("caleida.example"));
        }
    }
}
