//! A browser's event source.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode, header};
use tokio::time::timeout;

use super::browser::Browser;

/// Far longer than any update takes.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// It asks again whenever a response has ended, and names the last event that it has.
pub struct EventSource {
    browser: Browser,
    path: String,
    last_event: Option<String>,
}

impl EventSource {
    /// Opens the live part of a page with the browser's session.
    pub fn open(browser: &Browser, path: &str) -> Self {
        Self {
            browser: browser.clone(),
            path: path.to_owned(),
            last_event: None,
        }
    }

    pub async fn request(&self) -> Response {
        let mut request = self.browser.request(Method::GET, &self.path);
        if let Some(id) = &self.last_event {
            request = request.header("last-event-id", id);
        }
        request
            .header(header::ACCEPT, "text/event-stream")
            .header(header::COOKIE, self.browser.cookie.as_ref().unwrap())
            .send()
            .await
            .unwrap()
    }

    /// Returns the data of the next event, or `None` if nothing has changed.
    pub async fn poll(&mut self) -> Option<String> {
        let response = self.request().await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        // The response ends, so it takes no connection while nothing happens.
        let text = timeout(WAIT_TIMEOUT, response.text()).await.unwrap().unwrap();
        assert!(text.contains("retry: 1000\n"), "{text}");
        let id = text.lines().find_map(|line| line.strip_prefix("id: "))?;
        assert!(text.contains("event: change\n"), "{text}");
        self.last_event = Some(id.to_owned());
        Some(text)
    }

    /// Polls until an event contains all of these texts.
    pub async fn poll_until(&mut self, texts: &[&str]) {
        let found = async {
            loop {
                let event = self.poll().await.unwrap_or_default();
                if texts.iter().all(|text| event.contains(text)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(WAIT_TIMEOUT, found)
            .await
            .unwrap_or_else(|_| panic!("no event with {texts:?}"));
    }
}
