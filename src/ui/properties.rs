//! Property tests for URLs and forms as user input: parsing never panics, and what it accepts round-trips.

use proptest::prelude::*;

use crate::ui::{
    actions::webhooks::WebhookForm,
    request::{
        local_path::LocalPath,
        query::{AuditQuery, EventsQuery, ListQuery, LogQuery},
    },
};

const QUERY: &str = "((q|event|status|page|type|webhook|since|until|before|unmatched)=[ -~é]{0,20}&?){0,6}";

proptest! {
    #[test]
    fn queries_round_trip(query in prop_oneof![any::<String>(), QUERY.prop_map(|text| text)]) {
        let list = ListQuery::parse(&query).href("/list");
        let again = list.split_once('?').map_or("", |(_, query)| query);
        prop_assert_eq!(ListQuery::parse(again).href("/list"), list.clone());
        let log = LogQuery::parse(&query, None).href();
        let again = log.split_once('?').map_or("", |(_, query)| query);
        prop_assert_eq!(LogQuery::parse(again, None).href(), log.clone());
        let events = EventsQuery::parse(&query).href();
        let again = events.split_once('?').map_or("", |(_, query)| query);
        prop_assert_eq!(EventsQuery::parse(again).href(), events.clone());
        let audit = AuditQuery::parse(&query).href();
        let again = audit.split_once('?').map_or("", |(_, query)| query);
        prop_assert_eq!(AuditQuery::parse(again).href(), audit.clone());
        // These URLs are written to pages and headers.
        for href in [list, log, events, audit] {
            prop_assert!(LocalPath::parse(&href).is_some(), "{}", href);
        }
    }

    #[test]
    fn forms_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = serde_html_form::from_bytes::<WebhookForm>(&body);
    }

    #[test]
    fn local_paths_stay_on_this_site(text in prop_oneof![any::<String>(), "[/\\\\]{1,2}[ -~]{0,20}".prop_map(|text| text)]) {
        if let Some(path) = LocalPath::parse(&text) {
            let base = url::Url::parse("https://caleida.example/deep/inside").unwrap();
            let resolved = base.join(path.as_str()).unwrap();
            prop_assert_eq!(resolved.host_str(), Some("caleida.example"));
        }
    }
}
