//! Filters of the audit log, as query parameters.

use url::form_urlencoded;

use crate::{
    domain::Principal,
    store::AuditFilter,
    ui::{
        paths,
        request::query::{InvalidValues, LogQuery, format_timestamp, present_pairs, with_query},
    },
};

/// Filters of the audit log.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    pub filter: AuditFilter,
    pub invalid: InvalidValues,
}

impl AuditQuery {
    pub fn parse(query: &str) -> Self {
        let mut this = Self {
            filter: AuditFilter {
                limit: LogQuery::PAGE_SIZE,
                ..AuditFilter::default()
            },
            invalid: InvalidValues::default(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let (value, filter, invalid) = (value.trim(), &mut this.filter, &mut this.invalid);
            let text = Some(value.chars().take(300).collect()).filter(|text: &String| !text.is_empty());
            match &*name {
                "actor" => filter.actor = text.as_deref().map(Principal::from_filter),
                "action" => filter.action = text,
                "subject" => filter.subject = text,
                "since" => filter.since = invalid.parse_time("since", value),
                "until" => filter.until = invalid.parse_time("until", value),
                "before" => filter.before = value.parse().ok(),
                _ => {}
            }
        }
        this
    }

    pub fn href(&self) -> String {
        self.href_to(paths::AUDIT_LOG)
    }

    /// Returns the URL of the export of all events that match the filters.
    pub fn export_href(&self) -> String {
        let mut query = self.clone();
        query.filter.before = None;
        query.href_to(paths::AUDIT_EXPORT)
    }

    fn href_to(&self, path: &str) -> String {
        let AuditFilter {
            actor,
            action,
            subject,
            since,
            until,
            before,
            limit: _,
        } = &self.filter;
        let pairs = [
            ("actor", actor.as_ref().map(Principal::code)),
            ("action", action.clone()),
            ("subject", subject.clone()),
            ("since", since.map(format_timestamp)),
            ("until", until.map(format_timestamp)),
            ("before", before.as_ref().map(ToString::to_string)),
        ];
        with_query(path, &present_pairs(pairs, &self.invalid))
    }

    pub fn is_filtered(&self) -> bool {
        let AuditFilter {
            actor,
            action,
            subject,
            since,
            until,
            before: _,
            limit: _,
        } = &self.filter;
        actor.is_some()
            || action.is_some()
            || subject.is_some()
            || since.is_some()
            || until.is_some()
            || self.invalid.match_nothing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_query_round_trips() {
        let filters = "actor=user%3Aada%40example.com&action=webhook.deleted&subject=wh_1&since=2026-11-23T10%3A00%3A00Z";
        let query = AuditQuery::parse(&format!(
            "{filters}&before=1795428000000.aud_00000000000000000000000000000001"
        ));
        assert_eq!(
            query.href(),
            format!(
                "/settings/audit-log?{filters}&before=1795428000000.aud_00000000000000000000000000000001"
            )
        );
        assert_eq!(
            query.export_href(),
            format!("/settings/audit-log/export?{filters}")
        );
        assert!(!AuditQuery::parse("actor=+&before=yesterday").is_filtered());
        let invalid = AuditQuery::parse("until=yesterday");
        assert!(invalid.invalid.match_nothing() && invalid.is_filtered());
        assert_eq!(invalid.href(), "/settings/audit-log?until=yesterday");
    }
}
