//! Addresses without what browsers leave in them.
//!
//! A form that is sent by GET puts every field into the address, chosen or not, and a `?` even if there is none. People
//! share these addresses and come back to them, so they are led to the one that says the same and nothing else.

use axum::{
    extract::Request,
    http::{Method, Uri},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use url::form_urlencoded;

use super::local_path::LocalPath;

pub async fn redirect(request: Request, next: Next) -> Response {
    match tidied(request.uri()) {
        Some(path) if request.method() == Method::GET => Redirect::to(path.as_str()).into_response(),
        _ => next.run(request).await,
    }
}

/// The address without its empty parts, if it has any.
fn tidied(uri: &Uri) -> Option<LocalPath> {
    let query = uri.query()?;
    let parts: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let filled: Vec<_> = parts.iter().filter(|(_, value)| !value.is_empty()).collect();
    if !parts.is_empty() && filled.len() == parts.len() {
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

    #[test]
    fn only_empty_parts_are_dropped() {
        let tidied = |uri| tidied(&Uri::from_static(uri)).map(|path| path.as_str().to_owned());
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
}
