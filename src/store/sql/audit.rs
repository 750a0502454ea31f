//! The audit log.

use std::{borrow::Cow, collections::HashMap, str::FromStr};

use crate::{
    domain::{
        AccountId, ApiKeyId, AuditAction, AuditCursor, AuditDetails, AuditEntry, AuditId, Principal,
        Timestamp, UserId, WebhookId,
    },
    store::{
        AccountStore, AuditChoices, AuditContext, AuditEvent, AuditFilter, AuditPage, Store, StoreError,
        database::{Bind, Connection, Field, FromRow, Kind, Query, Row, Rows, query},
        pagination::{SCAN_LIMIT, split_page},
    },
};

impl FromRow for AuditEntry {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get("id")?,
            actor: row.get("actor")?,
            action: row.get("action")?,
            subject: row.get("subject")?,
            subject_name: None,
            address: row.get("address")?,
            details: row.get::<Option<String>>("details")?.map(AuditDetails::new),
            at: row.get("at")?,
        })
    }
}

impl Store {
    /// Records an event that changes nothing else, for example a test request. Changes record their events in their own
    /// transactions.
    pub async fn record_audit_event(&self, audit_event: &AuditEvent) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        write(&mut tx, audit_event).await?;
        tx.commit().await
    }
}

impl AccountStore<'_> {
    /// Returns a page of the audit log, newest first.
    pub async fn audit_log(&self, filter: &AuditFilter) -> Result<AuditPage, StoreError> {
        let mut reader = self.store.read().await?;
        let conditions = Conditions::from_filter(filter);
        // One condition is covered by an index. For the others, the page scans a limited range.
        let scan_bound: Option<(Timestamp, AuditId)> = if conditions.others.is_empty() {
            None
        } else {
            let mut scan = query("select at, id from audit_log");
            push_range(&mut scan, self.account, filter, conditions.indexed.as_ref(), None);
            scan.push(" order by at desc, id desc limit 1 offset ")
                .push_bind(SCAN_LIMIT - 1);
            scan.fetch_optional(&mut reader).await?
        };
        let scan_bound = scan_bound.map(|(at, id)| AuditCursor { at, id });
        let mut listing = query("select id, actor, action, subject, address, details, at from audit_log");
        push_range(
            &mut listing,
            self.account,
            filter,
            conditions.indexed.as_ref(),
            scan_bound.as_ref(),
        );
        for condition in &conditions.others {
            push_condition(&mut listing, condition);
        }
        listing
            .push(" order by at desc, id desc limit ")
            .push_bind(i64::from(filter.limit) + 1);
        let rows: Vec<AuditEntry> = listing.fetch_all(&mut reader).await?;
        let (mut entries, has_more) = split_page(rows, filter.limit);
        set_subject_names(&mut reader, self.account, &mut entries).await?;
        let next = if has_more {
            entries.last().map(AuditEntry::cursor)
        } else {
            scan_bound
        };
        Ok(AuditPage { entries, next })
    }

    /// Returns the values that the audit log can be filtered by.
    pub async fn audit_choices(&self) -> Result<AuditChoices, StoreError> {
        let mut reader = self.store.read().await?;
        Ok(AuditChoices {
            actors: distinct_values::<Principal>(&mut reader, self.account, "actor").await?,
            actions: distinct_values(&mut reader, self.account, "action").await?,
        })
    }
}

/// Sets the current or last names of the subjects.
async fn set_subject_names(
    reader: &mut Connection,
    account: &AccountId,
    entries: &mut [AuditEntry],
) -> Result<(), StoreError> {
    let mut names = HashMap::new();
    load_names::<WebhookId>(reader, account, "webhooks", "name", entries, &mut names).await?;
    load_names::<UserId>(reader, account, "users", "email", entries, &mut names).await?;
    load_names::<ApiKeyId>(reader, account, "api_keys", "name", entries, &mut names).await?;
    for entry in entries {
        entry.subject_name = names.get(&entry.subject).cloned();
    }
    Ok(())
}

async fn load_names<Id>(
    reader: &mut Connection,
    account: &AccountId,
    table: &'static str,
    column: &'static str,
    entries: &[AuditEntry],
    names: &mut HashMap<String, String>,
) -> Result<(), StoreError>
where
    Id: FromStr + Into<String> + Field,
    for<'a> &'a Id: Bind,
{
    let ids = entries
        .iter()
        .filter_map(|entry| entry.subject.parse::<Id>().ok());
    let rows = ids.map(|id| [(&id).into_value(), account.into_value()]);
    let found: Vec<(Id, String)> = Rows::new([Kind::Bytes; 2], rows)
        .fetch_all(
            &format!(
                "with wanted (id, account_id) as ({{rows}})
                 select distinct t.id, t.{column} from {table} t
                 join wanted on wanted.id = t.id and wanted.account_id = t.account_id"
            ),
            reader,
        )
        .await?;
    names.extend(found.into_iter().map(|(id, name)| (id.into(), name)));
    Ok(())
}

/// Returns the distinct values of a column. Skips from value to value in the index, without reading the rows between
/// them.
async fn distinct_values<T: Field>(
    reader: &mut Connection,
    account: &AccountId,
    column: &'static str,
) -> Result<Vec<T>, StoreError> {
    let sql = format!(
        "with recursive found (value) as (
             select min({column}) from audit_log where account_id = $1
             union all
             select (select min({column}) from audit_log where account_id = $1 and {column} > found.value)
             from found where value is not null)
         select value from found where value is not null limit 100"
    );
    query(sql).bind(account).fetch_all(reader).await
}

/// A column and its required value.
type Condition<'a> = (&'static str, Cow<'a, str>);

struct Conditions<'a> {
    /// The most selective condition, which is covered by an index by time.
    indexed: Option<Condition<'a>>,
    others: Vec<Condition<'a>>,
}

impl<'a> Conditions<'a> {
    fn from_filter(filter: &'a AuditFilter) -> Self {
        // Most selective first.
        let conditions = [
            ("subject", filter.subject.as_deref().map(Cow::from)),
            ("actor", filter.actor.as_ref().map(|actor| actor.code().into())),
            ("action", filter.action.as_deref().map(Cow::from)),
        ];
        let mut conditions = conditions
            .into_iter()
            .filter_map(|(column, value)| Some((column, value?)));
        Self {
            indexed: conditions.next(),
            others: conditions.collect(),
        }
    }
}

/// Appends the conditions that an index by time covers, down to `scan_bound`.
fn push_range(
    query: &mut Query,
    account: &AccountId,
    filter: &AuditFilter,
    indexed: Option<&Condition<'_>>,
    scan_bound: Option<&AuditCursor>,
) {
    query.push(" where account_id = ").push_bind(account);
    if let Some(condition) = indexed {
        push_condition(query, condition);
    }
    if let Some(since) = filter.since {
        query.push(" and at >= ").push_bind(since);
    }
    if let Some(until) = filter.until {
        query.push(" and at < ").push_bind(until);
    }
    for (comparison, cursor) in [(" < ", filter.before.as_ref()), (" >= ", scan_bound)] {
        if let Some(AuditCursor { at, id }) = cursor {
            query.push(" and (at, id)").push(comparison).push("(");
            query.push_bind(*at).push(", ");
            query.push_bind(id).push(")");
        }
    }
}

fn push_condition(query: &mut Query, (column, value): &Condition<'_>) {
    query
        .push(format!(" and {column} = "))
        // PostgreSQL rejects text with NUL. No stored text contains it.
        .push_bind(value.replace('\0', "\u{fffd}"));
}

/// Appends an event. Must be called in the transaction of the change.
pub(super) async fn write(connection: &mut Connection, audit_event: &AuditEvent) -> Result<(), StoreError> {
    let AuditEvent {
        actor,
        action,
        subject,
        details,
        at,
    } = audit_event;
    query(
        "insert into audit_log (id, account_id, actor, action, subject, at, address, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&AuditId::generate(*at))
    .bind(&actor.account_id)
    .bind(&actor.principal)
    .bind(action.to_string())
    .bind(subject)
    .bind(*at)
    .bind(actor.origin.text())
    .bind(details.as_ref().map(ToString::to_string))
    .execute(connection)
    .await?;
    Ok(())
}

/// Appends an event without details.
pub(super) async fn write_with_context(
    connection: &mut Connection,
    context: &AuditContext,
    action: AuditAction,
    subject: &str,
) -> Result<(), StoreError> {
    write(
        connection,
        &AuditEvent::new(&context.actor, action, subject, context.at),
    )
    .await
}
