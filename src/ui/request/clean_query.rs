//! Redirects to canonical URLs.
//!
//! A GET form puts all fields in the URL, including empty ones, and the values of `datetime-local` fields are in the zone
//! of the viewer. Users share these URLs. So empty parameters are removed, and times are converted to UTC.

use std::borrow::Cow;

use axum::{
    extract::Request,
    http::{Method, Uri},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use url::form_urlencoded;

use crate::ui::request::{
    local_path::LocalPath, preferences::Preferences, query::format_timestamp, zone::Zone,
};

pub async fn redirect(request: Request, next: Next) -> Response {
    match cleaned(request.uri(), &Preferences::from_headers(request.headers()).zone) {
        Some(path) if request.method() == Method::GET => Redirect::to(path.as_str()).into_response(),
        _ => next.run(request).await,
    }
}

/// Parameters whose value is a time.
const TIME_PARAMETERS: [&str; 2] = ["since", "until"];

/// Returns the URL without empty parameters and with times in UTC. Returns `None` if it is canonical already.
fn cleaned(uri: &Uri, zone: &Zone) -> Option<LocalPath> {
    let query = uri.query()?;
    let parts: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let filled = parts.iter().filter(|(_, value)| !value.is_empty());
    let filled: Vec<_> = filled
        .map(|(name, value)| {
            let time = TIME_PARAMETERS
                .contains(&&**name)
                .then(|| zone.parse_field(value))
                .flatten();
            (
                name,
                time.map_or(value.clone(), |at| Cow::Owned(format_timestamp(at))),
            )
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
    use crate::ui::request::zone::ZoneSource;

    #[test]
    fn removes_empty_parameters() {
        let zone = Zone::default();
        let cleaned = |uri| cleaned(&Uri::from_static(uri), &zone).map(|path| path.as_str().to_owned());
        assert_eq!(cleaned("/list?"), Some("/list".into()));
        assert_eq!(cleaned("/list?q=&event=&status="), Some("/list".into()));
        assert_eq!(
            cleaned("/list?q=a+b&event=&page=2"),
            Some("/list?q=a+b&page=2".into())
        );
        assert_eq!(cleaned("/list?q=a%20b"), None);
        assert_eq!(cleaned("/list"), None);
        // Would redirect to another site.
        assert_eq!(cleaned("//evil.example/?"), None);
    }

    #[test]
    fn converts_field_times_to_utc() {
        let zone = Zone::parse("Europe/Berlin", ZoneSource::Browser).unwrap();
        let cleaned = |uri| cleaned(&Uri::from_static(uri), &zone).map(|path| path.as_str().to_owned());
        assert_eq!(
            cleaned("/log?since=2026-11-23T11%3A00&status=failed").as_deref(),
            Some("/log?since=2026-11-23T10%3A00%3A00Z&status=failed")
        );
        assert_eq!(
            cleaned("/log?since=2026-11-23T10%3A00%3A00Z&q=2026-11-23T11%3A00"),
            None
        );
        assert_eq!(cleaned("/log?until=yesterday"), None);
    }
}
