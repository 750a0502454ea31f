//! Who did what to what, when, and from where.

use std::{borrow::Cow, collections::HashMap, str::FromStr};

use crate::{
    domain::{
        AccountId, ApiKeyId, AuditAction, AuditEntry, AuditId, AuditPlace, Principal, Timestamp, UserId,
        WebhookId,
    },
    store::{
        AccountStore, AuditChoices, AuditContext, AuditEvent, AuditFilter, AuditPage, Store, StoreError,
        database::{Bind, Connection, Field, FromRow, Kind, Query, Row, Rows, query},
        pagination::{SCANNED, page_of},
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
            details: row.get("details")?,
            at: row.get("at")?,
        })
    }
}

/// What changes something is recorded by the transaction that changes it; this is for the rest, and for reading.
impl Store {
    /// Records what happens without changing anything else: a sign-in, a reveal, a test.
    pub async fn record_audit_event(&self, audit_event: &AuditEvent) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        write(&mut tx, audit_event).await?;
        tx.commit().await
    }
}

impl AccountStore<'_> {
    /// Newest first. A page costs the same however long the history is.
    pub async fn audit_log(&self, filter: &AuditFilter) -> Result<AuditPage, StoreError> {
        let mut reader = self.store.read().await?;
        let conditions = Conditions::of(filter);
        // What one index finds is all wanted; of what else there is, so much is looked through.
        let floor: Option<(Timestamp, AuditId)> = if conditions.others.is_empty() {
            None
        } else {
            let mut scan = query("select at, id from audit_log");
            push_range(&mut scan, self.account, filter, conditions.first.as_ref(), None);
            scan.push(" order by at desc, id desc limit 1 offset ")
                .push_bind(SCANNED - 1);
            scan.fetch_optional(&mut reader).await?
        };
        let floor = floor.map(|(at, id)| AuditPlace { at, id });
        let mut listing = query("select id, actor, action, subject, address, details, at from audit_log");
        push_range(
            &mut listing,
            self.account,
            filter,
            conditions.first.as_ref(),
            floor.as_ref(),
        );
        for condition in &conditions.others {
            push_condition(&mut listing, condition);
        }
        listing
            .push(" order by at desc, id desc limit ")
            .push_bind(i64::from(filter.limit) + 1);
        let rows: Vec<AuditEntry> = listing.fetch_all(&mut reader).await?;
        let (mut entries, has_more) = page_of(rows, filter.limit);
        name_subjects(&mut reader, self.account, &mut entries).await?;
        let next = if has_more {
            entries.last().map(AuditEntry::place)
        } else {
            floor
        };
        Ok(AuditPage { entries, next })
    }

    /// What there is to filter by.
    pub async fn audit_choices(&self) -> Result<AuditChoices, StoreError> {
        let mut reader = self.store.read().await?;
        Ok(AuditChoices {
            actors: values_of::<Principal>(&mut reader, self.account, "actor").await?,
            actions: values_of(&mut reader, self.account, "action").await?,
        })
    }
}

/// Looks up what the subjects are called now, or were called last.
async fn name_subjects(
    reader: &mut Connection,
    account: &AccountId,
    entries: &mut [AuditEntry],
) -> Result<(), StoreError> {
    let mut names = HashMap::new();
    names_of::<WebhookId>(reader, account, "webhooks", "name", entries, &mut names).await?;
    names_of::<UserId>(reader, account, "users", "email", entries, &mut names).await?;
    names_of::<ApiKeyId>(reader, account, "api_keys", "name", entries, &mut names).await?;
    for entry in entries {
        entry.subject_name = names.get(&entry.subject).cloned();
    }
    Ok(())
}

async fn names_of<Id>(
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

/// From value to value by the index, however often each of them stands there.
async fn values_of<T: Field>(
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

/// A column, and what it has to be.
type Condition<'a> = (&'static str, Cow<'a, str>);

struct Conditions<'a> {
    /// The one that has an index by age, and is the narrowest.
    first: Option<Condition<'a>>,
    others: Vec<Condition<'a>>,
}

impl<'a> Conditions<'a> {
    fn of(filter: &'a AuditFilter) -> Self {
        let wanted = [
            ("subject", filter.subject.as_deref().map(Cow::from)),
            ("actor", filter.actor.as_ref().map(|actor| actor.code().into())),
            ("action", filter.action.as_deref().map(Cow::from)),
        ];
        let mut wanted = wanted
            .into_iter()
            .filter_map(|(column, value)| Some((column, value?)));
        Self {
            first: wanted.next(),
            others: wanted.collect(),
        }
    }
}

/// What an index by age finds, down to `floor`.
fn push_range(
    query: &mut Query,
    account: &AccountId,
    filter: &AuditFilter,
    first: Option<&Condition<'_>>,
    floor: Option<&AuditPlace>,
) {
    query.push(" where account_id = ").push_bind(account);
    if let Some(condition) = first {
        push_condition(query, condition);
    }
    if let Some(since) = filter.since {
        query.push(" and at >= ").push_bind(since);
    }
    if let Some(until) = filter.until {
        query.push(" and at < ").push_bind(until);
    }
    for (compared, place) in [(" < ", filter.before.as_ref()), (" >= ", floor)] {
        if let Some(AuditPlace { at, id }) = place {
            query.push(" and (at, id)").push(compared).push("(");
            query.push_bind(*at).push(", ");
            query.push_bind(id).push(")");
        }
    }
}

fn push_condition(query: &mut Query, (column, value): &Condition<'_>) {
    query
        .push(format!(" and {column} = "))
        // No text here holds a NUL, and PostgreSQL refuses to look for one.
        .push_bind(value.replace('\0', "\u{fffd}"));
}

/// Puts it on record, in the transaction of what is done.
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

/// Appends an act without details.
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
