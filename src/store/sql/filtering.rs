//! Evaluating a filter for stored events.

use std::collections::HashMap;

use crate::{
    domain::filter::CompiledFilter,
    store::{
        StoreError,
        database::{Bind as _, Connection, Kind, Rows},
        filters::event_data,
    },
};

/// Number of events whose bodies are read together. A body has up to 256 KiB.
const CHUNK: usize = 50;

from_row! {
    struct PayloadRow {
        key: i64,
        payload: Vec<u8>,
    }
}

/// Returns the events that the filter excludes, each with the part of the filter that does, in words.
pub(super) async fn find_excluded(
    connection: &mut Connection,
    filter: &CompiledFilter,
    event_keys: &[i64],
) -> Result<HashMap<i64, String>, StoreError> {
    let mut excluded = HashMap::new();
    for keys in event_keys.chunks(CHUNK) {
        let rows: Vec<PayloadRow> = Rows::new([Kind::Integer], keys.iter().map(|key| [key.into_value()]))
            .fetch_all(
                "with wanted (key) as ({rows})
                 select key, payload from events where key in (select key from wanted)",
                connection,
            )
            .await?;
        excluded.extend(rows.into_iter().filter_map(|row| {
            let data = event_data(&row.payload)?;
            Some((row.key, filter.excluded_by(data)?))
        }));
    }
    Ok(excluded)
}
