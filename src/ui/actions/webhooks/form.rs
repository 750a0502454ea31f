//! The form of a webhook.

use zeroize::Zeroizing;
#[cfg(feature = "ssr")]
use {
    super::{
        filter_rows::{ConditionRow, FilterItem, FilterRows},
        header_rows::{HeaderKind, HeaderRow},
    },
    crate::{
        domain::{EventTypes, Field, UrlVisibility, Webhook, WebhookDraft, WebhookId, filter::Mode},
        ui::{
            actions::{refusal::Refusal, serve::local_path_or},
            paths,
        },
    },
};

/// The fields of the form.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize, serde::Serialize), serde(default))]
pub struct WebhookForm {
    /// Empty for a new webhook.
    pub id: String,
    /// Version of the webhook that the form was filled with.
    pub version: Option<i64>,
    pub url: String,
    pub name: String,
    pub secret: Zeroizing<String>,
    pub events: Vec<String>,
    pub description: String,
    /// The rows of headers: one value of each for each row.
    pub header_kind: Vec<String>,
    pub header_name: Vec<String>,
    pub header_value: Vec<Zeroizing<String>>,
    /// The rows of conditions. The group is empty, or the number of a group from 1.
    pub condition_group: Vec<String>,
    pub condition_field: Vec<String>,
    pub condition_operator: Vec<String>,
    pub condition_value: Vec<String>,
    /// How conditions are combined, and those of each group.
    pub filter_mode: String,
    pub group_mode: Vec<String>,
    pub rate_limit: String,
    pub timeout_seconds: String,
    pub retries: String,
    /// After a conflict, the fields that keep the saved value.
    pub keep_saved: Vec<String>,
    /// Action for held deliveries on resume: `send` or `drop`.
    pub held: String,
    /// Number of hours that the previous secret also signs after a rotation.
    pub overlap: String,
    /// Path of the page to return to.
    pub back: String,
    /// Token of the rendered form.
    pub submission: String,
    /// The pressed button.
    #[cfg_attr(feature = "ssr", serde(rename = "do"))]
    pub button: String,
}

/// A change of the rows of a form.
#[cfg(feature = "ssr")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowChange {
    AddHeader(HeaderKind),
    /// Number of the row, from 1.
    RemoveHeader(usize),
    /// Number of the group, from 1.
    AddCondition(Option<usize>),
    RemoveCondition(usize),
    AddGroup,
}

#[cfg(feature = "ssr")]
impl RowChange {
    /// Returns the value of the button that makes the change.
    pub fn button(self) -> String {
        match self {
            Self::AddHeader(kind) => format!("add-{}", kind.as_str()),
            Self::RemoveHeader(number) => format!("remove-header-{number}"),
            Self::AddCondition(None) => "add-condition".to_owned(),
            Self::AddCondition(Some(group)) => format!("add-condition-{group}"),
            Self::RemoveCondition(number) => format!("remove-condition-{number}"),
            Self::AddGroup => "add-group".to_owned(),
        }
    }

    fn parse(button: &str) -> Option<Self> {
        let number = |prefix: &str| button.strip_prefix(prefix)?.parse().ok();
        Some(match button {
            "add-condition" => Self::AddCondition(None),
            "add-group" => Self::AddGroup,
            _ => match button.strip_prefix("add-").and_then(|kind| kind.parse().ok()) {
                Some(kind) => Self::AddHeader(kind),
                None => number("add-condition-")
                    .map(|group| Self::AddCondition(Some(group)))
                    .or_else(|| number("remove-header-").map(Self::RemoveHeader))
                    .or_else(|| number("remove-condition-").map(Self::RemoveCondition))?,
            },
        })
    }
}

#[cfg(feature = "ssr")]
impl WebhookForm {
    /// Returns the form with the stored values as a user sees them.
    pub fn from_webhook(webhook: &Webhook, urls: UrlVisibility) -> Self {
        let saved = WebhookDraft::saved(&webhook.settings);
        let mut form = Self {
            id: webhook.id.to_string(),
            version: Some(webhook.version),
            url: webhook.settings.url.shown(urls),
            name: saved.name,
            events: saved.events,
            description: saved.description,
            rate_limit: saved.rate_limit,
            timeout_seconds: saved.timeout_seconds,
            retries: saved.retries,
            ..Self::default()
        };
        let options = &webhook.settings.options;
        form.set_headers(
            options
                .headers
                .iter()
                .map(|name| HeaderRow::saved(name.as_str()))
                .collect(),
        );
        form.set_filter(&FilterRows::saved(options.filter.as_ref()));
        form
    }

    pub fn id(&self) -> Result<WebhookId, Refusal> {
        super::webhook_id(&self.id)
    }

    pub fn draft(&self) -> WebhookDraft {
        WebhookDraft {
            url: self.url.clone(),
            name: self.name.clone(),
            secret: self.secret.clone(),
            events: self.event_types(),
            description: self.description.clone(),
            headers: self.headers().iter().map(HeaderRow::draft).collect(),
            filter: self.filter().to_json(),
            rate_limit: self.rate_limit.clone(),
            timeout_seconds: self.timeout_seconds.clone(),
            retries: self.retries.clone(),
        }
    }

    /// Returns the event types without duplicates, in the order of the form, with `insight.*` expanded. Returns the posted
    /// values unchanged if one of them is invalid.
    fn event_types(&self) -> Vec<String> {
        let posted = self.events.iter().map(String::as_str);
        match EventTypes::parse(posted) {
            Ok(events) => events.iter().map(|event| event.to_string()).collect(),
            Err(_) => self.events.clone(),
        }
    }

    pub fn headers(&self) -> Vec<HeaderRow> {
        let names = self.header_name.iter().zip(&self.header_value).enumerate();
        let rows = names.map(|(index, (name, value))| HeaderRow {
            kind: self
                .header_kind
                .get(index)
                .and_then(|kind| kind.parse().ok())
                .unwrap_or_default(),
            name: name.clone(),
            value: value.clone(),
        });
        rows.collect()
    }

    fn set_headers(&mut self, rows: Vec<HeaderRow>) {
        self.header_kind = rows.iter().map(|row| row.kind.as_str().to_owned()).collect();
        (self.header_name, self.header_value) = rows.into_iter().map(|row| (row.name, row.value)).unzip();
    }

    pub fn filter(&self) -> FilterRows {
        let mut rows = FilterRows {
            mode: mode(&self.filter_mode),
            items: Vec::new(),
        };
        let mut last_group = "";
        for (index, field) in self.condition_field.iter().enumerate() {
            let part = |values: &[String]| values.get(index).cloned().unwrap_or_default();
            let row = ConditionRow {
                field: field.clone(),
                operator: part(&self.condition_operator),
                value: part(&self.condition_value),
            };
            let group = self.condition_group.get(index).map_or("", String::as_str);
            match (group.parse::<usize>(), rows.items.last_mut()) {
                (Err(_), _) => rows.items.push(FilterItem::Row(row)),
                (Ok(_), Some(FilterItem::Group(_, list))) if group == last_group => list.push(row),
                (Ok(number), _) => {
                    let mode = self
                        .group_mode
                        .get(number.saturating_sub(1))
                        .map_or(Mode::All, |text| mode(text));
                    rows.items.push(FilterItem::Group(mode, vec![row]));
                }
            }
            last_group = group;
        }
        rows
    }

    fn set_filter(&mut self, rows: &FilterRows) {
        let text = |mode: Mode| <&str>::from(mode).to_owned();
        self.filter_mode = text(rows.mode);
        self.group_mode.clear();
        self.condition_group.clear();
        let mut conditions = Vec::new();
        for item in &rows.items {
            let (group, list) = match item {
                FilterItem::Row(row) => (String::new(), std::slice::from_ref(row)),
                FilterItem::Group(mode, list) => {
                    self.group_mode.push(text(*mode));
                    (self.group_mode.len().to_string(), &**list)
                }
            };
            self.condition_group.extend(list.iter().map(|_| group.clone()));
            conditions.extend(list.iter().cloned());
        }
        self.condition_field = conditions.iter().map(|row| row.field.clone()).collect();
        self.condition_operator = conditions.iter().map(|row| row.operator.clone()).collect();
        self.condition_value = conditions.into_iter().map(|row| row.value).collect();
    }

    /// Returns the change of rows that the pressed button makes.
    pub fn row_change(&self) -> Option<RowChange> {
        RowChange::parse(&self.button)
    }

    /// Adds or removes rows.
    pub fn change_rows(&mut self, change: RowChange) {
        let (mut headers, mut filter) = (self.headers(), self.filter());
        match change {
            RowChange::AddHeader(kind) => headers.push(HeaderRow::new(kind)),
            RowChange::RemoveHeader(number) if (1..=headers.len()).contains(&number) => {
                headers.remove(number - 1);
            }
            RowChange::RemoveHeader(_) => {}
            RowChange::AddCondition(group) => filter.add_condition(group),
            RowChange::RemoveCondition(number) => filter.remove_condition(number),
            RowChange::AddGroup => filter.add_group(),
        }
        self.set_headers(headers);
        self.set_filter(&filter);
    }

    pub fn back(&self) -> String {
        local_path_or(&self.back, paths::LIST)
    }

    /// Returns whether the form has unsaved changes.
    pub(super) fn is_unsaved(&self, saved: &Webhook) -> bool {
        let saved = WebhookDraft::saved(&saved.settings);
        self.version.is_some() && self.draft().differences(&saved).next().is_some()
    }

    /// Replaces the chosen fields with the saved values.
    pub(super) fn kept(&self, draft: &mut WebhookDraft, saved: &Webhook) {
        let saved = WebhookDraft::saved(&saved.settings);
        for field in self
            .keep_saved
            .iter()
            .filter_map(|name| name.parse::<Field>().ok())
        {
            draft.take(field, &saved);
        }
    }
}

#[cfg(feature = "ssr")]
fn mode(text: &str) -> Mode {
    if text == "any" { Mode::Any } else { Mode::All }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn parse(body: &str) -> WebhookForm {
        serde_html_form::from_str(body).unwrap()
    }

    #[test]
    fn parses_repeated_and_absent_fields() {
        let form = parse("name=A+%26+B&events=chat&events=insight.*");
        assert_eq!(form.events, ["chat", "insight.*"]);
        assert_eq!(form.name, "A & B");
        assert_eq!(form.url, "");
        assert_eq!(form.version, None);
        assert_eq!(parse("version=7&do=pause").version, Some(7));
        assert!(serde_html_form::from_str::<WebhookForm>("version=seven").is_err());
    }

    #[test]
    fn draft_normalizes_event_types() {
        let events = |body: &str| parse(body).draft().events;
        assert_eq!(
            events("events=message&events=chat&events=chat"),
            ["chat", "message"]
        );
        assert_eq!(events("events=insight.*&events=insight.key").len(), 5);
        assert_eq!(events("events=unheard-of"), ["unheard-of"]);
        assert!(events("name=x").is_empty());
    }

    #[test]
    fn rows_are_read_in_their_order() {
        let form = parse(
            "filter_mode=any&condition_group=&condition_field=a&condition_operator=exists&condition_value=\
             &condition_group=1&condition_field=b&condition_operator=eq&condition_value=1\
             &condition_group=1&condition_field=c&condition_operator=lt&condition_value=2\
             &condition_group=2&condition_field=d&condition_operator=ne&condition_value=x\
             &group_mode=all&group_mode=any\
             &header_kind=bearer&header_name=&header_value=t&header_kind=header&header_name=X-A&header_value=",
        );
        assert_eq!(
            form.draft().filter,
            r#"{"any":[{"field":"a","op":"exists"},{"all":[{"field":"b","op":"eq","value":1},{"field":"c","op":"lt","value":2}]},{"any":[{"field":"d","op":"ne","value":"x"}]}]}"#
        );
        let names = |form: &WebhookForm| form.draft().in_words(Field::Headers);
        assert_eq!(names(&form), "authorization (new value), x-a");
        let mut same = form.clone();
        same.set_filter(&form.filter());
        same.set_headers(form.headers());
        assert_eq!(same.draft().filter, form.draft().filter);
        assert_eq!(names(&same), names(&form));
    }

    #[test]
    fn each_button_makes_its_change() {
        let changes = [
            RowChange::AddHeader(HeaderKind::Header),
            RowChange::AddHeader(HeaderKind::Bearer),
            RowChange::AddHeader(HeaderKind::Basic),
            RowChange::RemoveHeader(2),
            RowChange::AddCondition(None),
            RowChange::AddCondition(Some(3)),
            RowChange::RemoveCondition(4),
            RowChange::AddGroup,
        ];
        for change in changes {
            assert_eq!(RowChange::parse(&change.button()), Some(change));
        }
        for other in [
            "",
            "pause",
            "add-",
            "add-nothing",
            "remove-header-",
            "remove-header-x",
        ] {
            assert_eq!(RowChange::parse(other), None, "{other}");
        }
        let mut form = WebhookForm::default();
        form.change_rows(RowChange::AddHeader(HeaderKind::Basic));
        form.change_rows(RowChange::AddGroup);
        form.change_rows(RowChange::RemoveHeader(7));
        assert_eq!(
            (form.headers().len(), form.condition_group.as_slice()),
            (1, &["1".to_owned()][..])
        );
        form.change_rows(RowChange::RemoveHeader(1));
        form.change_rows(RowChange::RemoveCondition(1));
        assert!(form.headers().is_empty() && form.filter().is_empty() && form.group_mode.is_empty());
    }
}
