//! A browser without script: it keeps its cookie, posts forms and follows nothing by itself.

use reqwest::{Client, Method, RequestBuilder, StatusCode, header};
use serde_json::Value;

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
        self.send(self.to(Method::GET, path)).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        self.post_with(path, form, &[]).await
    }

    /// With these headers besides.
    pub async fn post_with(&mut self, path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
        let request = self
            .to(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form_urlencoded(form));
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request).await
    }

    /// A request to be sent by [`Self::send`].
    pub fn to(&self, method: Method, path: &str) -> RequestBuilder {
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
        let set_cookie = text(header::SET_COOKIE);
        // Only the session's: what else a page keeps is a preference, which no test is about.
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
    /// What a server function returned.
    pub fn json(&self) -> Value {
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/json",
            "{}",
            self.body
        );
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    /// The value of the first hidden input of this name.
    pub fn hidden(&self, name: &str) -> String {
        self.all_hidden(name)
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no {name} in {}", self.body))
    }

    /// The values of the hidden inputs of this name, in the order of the page.
    pub fn all_hidden(&self, name: &str) -> Vec<String> {
        let start = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
        let values = self.body.split(&start).skip(1);
        values
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect()
    }
}

pub fn form_urlencoded(form: &[(&str, &str)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(form);
    text.finish()
}
