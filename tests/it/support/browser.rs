//! A browser without JavaScript: it keeps its session cookie, posts forms and follows no redirects.

use reqwest::{Client, Method, RequestBuilder, StatusCode, header};
use serde_json::Value;

use super::html::attributes;

#[derive(Clone)]
pub struct Browser {
    client: Client,
    origin: String,
    pub cookie: Option<String>,
}

pub struct Page {
    pub status: StatusCode,
    pub location: Option<String>,
    pub set_cookie: Option<String>,
    pub headers: header::HeaderMap,
    pub body: String,
}

impl Browser {
    pub fn new(client: Client, origin: String) -> Self {
        Self {
            client,
            origin,
            cookie: None,
        }
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        self.post_with(path, form, &[]).await
    }

    /// Like [`Self::post`], with additional headers.
    pub async fn post_with(&mut self, path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form_urlencoded(form));
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request).await
    }

    /// Builds a request for [`Self::send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.origin))
    }

    pub async fn send(&mut self, request: RequestBuilder) -> Page {
        let request = match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        };
        let response = request.send().await.unwrap();
        let headers = response.headers().clone();
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let cookies = headers.get_all(header::SET_COOKIE).iter();
        let cookies: Vec<_> = cookies.map(|value| value.to_str().unwrap().to_owned()).collect();
        let session = cookies.iter().find(|cookie| is_session(cookie));
        let set_cookie = session.or(cookies.first()).cloned();
        // Cookies other than the session's hold preferences, which tests check on the page itself.
        if let Some(cookie) = set_cookie.as_ref().filter(|cookie| is_session(cookie)) {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let (status, location) = (response.status(), text(header::LOCATION));
        Page {
            status,
            location,
            set_cookie,
            body: response.text().await.unwrap(),
            headers,
        }
    }
}

fn is_session(cookie: &str) -> bool {
    ["caleida=", "__Host-caleida="]
        .iter()
        .any(|name| cookie.starts_with(name))
}

impl Page {
    /// Returns the value of a cookie that the response sets.
    pub fn cookie(&self, name: &str) -> String {
        let cookies = self.headers.get_all(header::SET_COOKIE).iter();
        let mut cookies = cookies.map(|cookie| cookie.to_str().unwrap());
        let value = cookies.find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='));
        let value = value.unwrap_or_else(|| panic!("no cookie {name}"));
        value.split(';').next().unwrap().to_owned()
    }

    /// Parses the response of a server function.
    pub fn json(&self) -> Value {
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/json",
            "{}",
            self.body
        );
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    /// Returns the value of the first hidden input with this name.
    pub fn hidden(&self, name: &str) -> String {
        self.all_hidden(name)
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no {name} in {}", self.body))
    }

    /// Returns the values of all hidden inputs with this name, in page order.
    pub fn all_hidden(&self, name: &str) -> Vec<String> {
        let selector = format!("input[type=hidden][name={name}]");
        attributes(&self.body, &selector, "value")
    }
}

pub fn form_urlencoded(form: &[(&str, &str)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(form);
    text.finish()
}
