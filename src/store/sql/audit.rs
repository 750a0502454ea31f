use async_trait::async_trait;
use sqlx::{AssertSqlSafe, QueryBuilder};

use super::{Adapter, Connection, Database};
use crate::{
    domain::{AccountId, AuditEntry, AuditId, AuditPlace, Timestamp},
    store::{
        Act, AuditChoices, AuditFilter, AuditPage, AuditStore, Deed, StoreError, pagination::LOOKED_THROUGH,
    },
};

/// The columns of [`EntryRow`]. What a subject is called is looked up when somebody reads it.
const ENTRY: &str = "id, actor, action, subject, coalesce(
         (select name from webhooks w where w.id = subject and w.account_id = audit_log.account_id),
         (select email from users u where u.id = subject and u.account_id = audit_log.account_id),
         (select name from api_keys k where k.id = subject and k.account_id = audit_log.account_id)
     ) as subject_name, address, details, at";

from_row! {
    struct EntryRow {
        id: String,
        actor: String,
        action: String,
        subject: String,
        subject_name: Option<String>,
        address: Option<String>,
        details: Option<String>,
        at: i64,
    }
}

impl From<EntryRow> for AuditEntry {
    fn from(row: EntryRow) -> Self {
        Self {
            id: row.id,
            actor: row.actor,
            action: row.action,
            subject: row.subject,
            subject_name: row.subject_name,
            address: row.address,
            details: row.details,
            at: Timestamp::from_millis(row.at),
        }
    }
}

#[async_trait]
impl AuditStore for Adapter {
    async fn record_deed(&self, deed: &Deed) -> Result<(), StoreError> {
        let mut writer = self.writer.acquire().await?;
        write(&mut writer, deed).await
    }

    async fn audit_log(&self, account: &AccountId, filter: &AuditFilter) -> Result<AuditPage, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let conditions = Conditions::of(filter);
        // What one index finds is all wanted; of what else there is, so much is looked through.
        let floor = if conditions.others.is_empty() {
            None
        } else {
            let mut query = QueryBuilder::<Database>::new("select at, id from audit_log");
            push_stretch(&mut query, account, filter, conditions.first, None);
            query
                .push(" order by at desc, id desc limit 1 offset ")
                .push_bind(LOOKED_THROUGH - 1);
            let floor: Option<(i64, String)> = query.build_query_as().fetch_optional(&mut *reader).await?;
            floor.map(|(at, id)| AuditPlace {
                at: Timestamp::from_millis(at),
                id,
            })
        };
        let mut query = QueryBuilder::<Database>::new(format!("select {ENTRY} from audit_log"));
        push_stretch(&mut query, account, filter, conditions.first, floor.as_ref());
        for condition in conditions.others {
            push_condition(&mut query, condition);
        }
        // One more than wanted tells whether there are more.
        query
            .push(" order by at desc, id desc limit ")
            .push_bind(i64::from(filter.limit) + 1);
        let rows: Vec<EntryRow> = query.build_query_as().fetch_all(&mut *reader).await?;
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let entries: Vec<_> = rows.into_iter().take(limit).map(AuditEntry::from).collect();
        let next = if more {
            entries.last().map(AuditEntry::place)
        } else {
            floor
        };
        Ok(AuditPage { entries, next })
    }

    async fn audit_choices(&self, account: &AccountId) -> Result<AuditChoices, StoreError> {
        let mut reader = self.readers.acquire().await?;
        Ok(AuditChoices {
            actors: values_of(&mut reader, account, "actor").await?,
            actions: values_of(&mut reader, account, "action").await?,
        })
    }
}

/// From value to value by the index, however often each of them stands there.
async fn values_of(
    reader: &mut Connection,
    account: &AccountId,
    column: &'static str,
) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "with recursive found (value) as (
             select min({column}) from audit_log where account_id = $1
             union all
             select (select min({column}) from audit_log where account_id = $1 and {column} > found.value)
             from found where value is not null)
         select value from found where value is not null limit 100"
    );
    let values = sqlx::query_scalar(AssertSqlSafe(sql));
    Ok(values.bind(account.as_str()).fetch_all(reader).await?)
}

/// A column, and what it has to be.
type Condition<'a> = (&'static str, &'a str);

struct Conditions<'a> {
    /// The one that has an index by age, and is the narrowest.
    first: Option<Condition<'a>>,
    others: Vec<Condition<'a>>,
}

impl<'a> Conditions<'a> {
    fn of(filter: &'a AuditFilter) -> Self {
        let wanted = [
            ("subject", &filter.subject),
            ("actor", &filter.actor),
            ("action", &filter.action),
        ];
        let mut wanted = wanted
            .into_iter()
            .filter_map(|(column, value)| Some((column, value.as_deref()?)));
        Self {
            first: wanted.next(),
            others: wanted.collect(),
        }
    }
}

/// What an index by age finds, down to `floor`.
fn push_stretch(
    query: &mut QueryBuilder<Database>,
    account: &AccountId,
    filter: &AuditFilter,
    first: Option<Condition<'_>>,
    floor: Option<&AuditPlace>,
) {
    query
        .push(" where account_id = ")
        .push_bind(account.as_str().to_owned());
    if let Some(condition) = first {
        push_condition(query, condition);
    }
    if let Some(since) = filter.since {
        query.push(" and at >= ").push_bind(since.as_millis());
    }
    if let Some(until) = filter.until {
        query.push(" and at < ").push_bind(until.as_millis());
    }
    for (compared, place) in [(" < ", filter.before.as_ref()), (" >= ", floor)] {
        if let Some(AuditPlace { at, id }) = place {
            query.push(" and (at, id)").push(compared).push("(");
            query.push_bind(at.as_millis()).push(", ");
            query.push_bind(id.clone()).push(")");
        }
    }
}

fn push_condition(query: &mut QueryBuilder<Database>, (column, value): Condition<'_>) {
    query
        .push(format!(" and {column} = "))
        // No text here holds a NUL, and PostgreSQL refuses to look for one.
        .push_bind(value.replace('\0', "\u{fffd}"));
}

/// Puts it on record, in the transaction of what is done.
pub(super) async fn write(connection: &mut Connection, deed: &Deed) -> Result<(), StoreError> {
    let Deed {
        actor,
        action,
        subject,
        details,
        at,
    } = deed;
    sqlx::query(
        "insert into audit_log (id, account_id, actor, action, subject, at, address, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(AuditId::generate(*at).as_str())
    .bind(actor.account_id.as_str())
    .bind(&actor.name)
    .bind(&**action)
    .bind(subject)
    .bind(at.as_millis())
    .bind(actor.origin.text())
    .bind(details.as_ref().map(ToString::to_string))
    .execute(connection)
    .await?;
    Ok(())
}

/// Appends an act without details.
pub(super) async fn write_act(
    connection: &mut Connection,
    act: &Act,
    action: &'static str,
    subject: &str,
) -> Result<(), StoreError> {
    write(connection, &Deed::new(&act.actor, action, subject, act.at)).await
}
