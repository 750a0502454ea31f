//! A browser without script: it keeps its cookie, posts forms and follows nothing by itself.

use reqwest::{Client, RequestBuilder, StatusCode, header};

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
        self.send(self.client.get(format!("{}{path}", self.origin))).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let body = form_urlencoded(form);
        let request = self.client.post(format!("{}{path}", self.origin)).body(body);
        self.send(request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .await
    }

    async fn send(&mut self, request: RequestBuilder) -> Page {
        let request = match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        };
        let response = request.send().await.unwrap();
        let headers = response.headers().clone();
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let set_cookie = text(header::SET_COOKIE);
        if let Some(cookie) = &set_cookie {
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

fn form_urlencoded(form: &[(&str, &str)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(form);
    text.finish()
}
