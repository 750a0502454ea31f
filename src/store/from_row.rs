//! A declarative `FromRow`.

/// Declares a struct whose fields are read from the columns of the same names, in any database.
///
/// It replaces `#[derive(sqlx::FromRow)]`: the `derive` feature compiles sqlx, its drivers and SQLite a second time, for
/// the compiler itself.
macro_rules! from_row {
    ($visibility:vis struct $name:ident { $($field_visibility:vis $field:ident: $type:ty,)+ }) => {
        $visibility struct $name {
            $($field_visibility $field: $type,)+
        }

        impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for $name
        where
            &'static str: sqlx::ColumnIndex<R>,
            $($type: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,)+
        {
            fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
                Ok(Self {
                    $($field: row.try_get(stringify!($field))?,)+
                })
            }
        }
    };
}
