//! Addresses without what browsers leave in them.
//!
//! A form that is sent by GET puts every field into the address, chosen or not, and a `?` even if there is none. People
//! share these addresses and come back to them, so they are led to the one that says the same and nothing else. Also to
//! those in other zones: a moment that was chosen in a field is written as the same moment in UTC.

use std::borrow::Cow;

use axum::{
    extract::Request,
    http::{Method, Uri},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use url::form_urlencoded;

use crate::ui::request::{local_path::LocalPath, preferences::Preferences, query::written, zone::Zone};

pub async fn redirect(request: Request, next: Next) -> Response {
    match tidied(request.uri(), &Preferences::of(request.headers()).zone) {
        Some(path) if request.method() == Method::GET => Redirect::to(path.as_str()).into_response(),
        _ => next.run(request).await,
    }
}

/// The fields that hold a moment.
const MOMENTS: [&str; 2] = ["since", "until"];

/// The address without its empty parts and with its moments in UTC, if it has any to mend.
fn tidied(uri: &Uri, zone: &Zone) -> Option<LocalPath> {
    let query = uri.query()?;
    let parts: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let filled = parts.iter().filter(|(_, value)| !value.is_empty());
    let filled: Vec<_> = filled
        .map(|(name, value)| {
            let moment = MOMENTS
                .contains(&&**name)
                .then(|| zone.read_field(value))
                .flatten();
            (name, moment.map_or(value.clone(), |at| Cow::Owned(written(at))))
        })
        .collect();
    if !parts.is_empty()
        && filled
            .iter()
            .map(|(_, value)| value)
            .eq(parts.iter().map(|(_, value)| value))
    {
        return None;
    }
    let mut path = uri.path().to_owned();
    if !filled.is_empty() {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(filled)
            .finish();
        path.push('?');
        path.push_str(&query);
    }
    LocalPath::parse(&path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::request::zone::Origin;

    #[test]
    fn only_empty_parts_are_dropped() {
        let zone = Zone::default();
        let tidied = |uri| tidied(&Uri::from_static(uri), &zone).map(|path| path.as_str().to_owned());
        assert_eq!(tidied("/list?"), Some("/list".into()));
        assert_eq!(tidied("/list?q=&event=&status="), Some("/list".into()));
        assert_eq!(
            tidied("/list?q=a+b&event=&page=2"),
            Some("/list?q=a+b&page=2".into())
        );
        assert_eq!(tidied("/list?q=a%20b"), None);
        assert_eq!(tidied("/list"), None);
        // Would lead to another site.
        assert_eq!(tidied("//evil.example/?"), None);
    }

    #[test]
    fn moments_of_a_field_become_those_of_everybody() {
        let zone = Zone::parse("Europe/Berlin", Origin::Browser).unwrap();
        let tidied = |uri| tidied(&Uri::from_static(uri), &zone).map(|path| path.as_str().to_owned());
        assert_eq!(
            tidied("/log?since=2026-11-23T11%3A00&status=failed").as_deref(),
            Some("/log?since=2026-11-23T10%3A00%3A00Z&status=failed")
        );
        assert_eq!(
            tidied("/log?since=2026-11-23T10%3A00%3A00Z&q=2026-11-23T11%3A00"),
            None
        );
        assert_eq!(tidied("/log?until=yesterday"), None);
    }
}
