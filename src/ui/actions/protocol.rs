//! How a server function is called: its one argument travels as a form, what it returns as JSON.
//!
//! Both sides of it. Leptos' own protocol (`Http<PostUrl, Json>`) brings a form encoder, a JSON parser and an HTTP client
//! into the browser, which has all three: it is 44 kB of WebAssembly, compressed. Leptos' form encoder
//! also refuses repeated fields, which checkboxes are.

use std::{fmt, marker::PhantomData, ops::Deref};

use http::Method;
use leptos::server_fn::{Protocol, client::Client, server::Server};

use super::refusal::Refusal;

/// The protocol of every server function here.
pub struct Call;

/// What a form holds: on the server as a `T`, in the browser as it is sent.
pub struct Form<T> {
    #[cfg(feature = "ssr")]
    pub value: T,
    #[cfg(not(feature = "ssr"))]
    encoded: Encoded,
    of: PhantomData<T>,
}

/// A form's fields in the order of the page, as `application/x-www-form-urlencoded`.
#[cfg(not(feature = "ssr"))]
#[derive(Clone)]
pub struct Encoded(String);

impl<T: Clone> Clone for Form<T> {
    fn clone(&self) -> Self {
        Self {
            #[cfg(feature = "ssr")]
            value: self.value.clone(),
            #[cfg(not(feature = "ssr"))]
            encoded: self.encoded.clone(),
            of: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Form<T> {
    /// Without its fields: some are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Form")
    }
}

/// What a function takes.
pub trait Argument: Sized {
    #[cfg(feature = "ssr")]
    fn read(body: &[u8]) -> Result<Self, Refusal>;
    #[cfg(not(feature = "ssr"))]
    fn written(&self) -> &str;
}

#[cfg(feature = "ssr")]
impl<T: serde::de::DeserializeOwned> Argument for Form<T> {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        // Without the parser's own words: they may repeat what was typed.
        let value = serde_html_form::from_bytes(body).map_err(|_| Refusal::unreadable())?;
        Ok(Self::of(value))
    }
}

#[cfg(feature = "ssr")]
impl<T> Form<T> {
    pub fn of(value: T) -> Self {
        Self {
            value,
            of: PhantomData,
        }
    }
}

#[cfg(not(feature = "ssr"))]
impl<T> Argument for Form<T> {
    fn written(&self) -> &str {
        &self.encoded.0
    }
}

#[cfg(not(feature = "ssr"))]
impl<T> From<Encoded> for Form<T> {
    fn from(encoded: Encoded) -> Self {
        Self {
            encoded,
            of: PhantomData,
        }
    }
}

/// What a function returns.
#[cfg(feature = "ssr")]
pub trait Answer: serde::Serialize {}
#[cfg(feature = "ssr")]
impl<T: serde::Serialize> Answer for T {}
#[cfg(not(feature = "ssr"))]
pub trait Answer: Sized + 'static {
    fn read(answer: &browser::Json) -> Self;
}

impl<I, O, C, S> Protocol<I, O, C, S, Refusal> for Call
where
    I: Deref<Target: Argument> + From<I::Target> + Send,
    O: Answer + Send,
    C: Client<Refusal>,
    S: Server<Refusal>,
{
    const METHOD: Method = Method::POST;

    #[cfg(feature = "ssr")]
    async fn run_server<F, Fut>(request: S::Request, function: F) -> Result<S::Response, Refusal>
    where
        F: Fn(I) -> Fut + Send,
        Fut: Future<Output = Result<O, Refusal>> + Send,
    {
        use leptos::{
            prelude::expect_context,
            server_fn::{
                ContentType,
                error::{FromServerFnError, ServerFnErrorErr},
                request::Req,
                response::TryRes,
            },
        };
        use leptos_axum::ResponseOptions;

        use super::refusal::Encoding;

        let answer = async move {
            let body = Req::<Refusal>::try_into_bytes(request).await?;
            let argument: I = I::Target::read(&body)?.into();
            let done = function(argument).await?;
            let json = serde_json::to_string(&done).map_err(|error| {
                Refusal::from_server_fn_error(ServerFnErrorErr::Serialization(error.to_string()))
            })?;
            S::Response::try_from_string(Encoding::CONTENT_TYPE, json)
        };
        answer.await.inspect_err(|refusal: &Refusal| {
            // Leptos 0.8 answers every error with 500 unless it is told otherwise.
            refusal.describe(&expect_context::<ResponseOptions>());
        })
    }

    #[cfg(not(feature = "ssr"))]
    async fn run_server<F, Fut>(_: S::Request, _: F) -> Result<S::Response, Refusal>
    where
        F: Fn(I) -> Fut + Send,
        Fut: Future<Output = Result<O, Refusal>> + Send,
    {
        unreachable!("a browser serves nothing")
    }

    #[cfg(feature = "ssr")]
    async fn run_client(_: &str, _: I) -> Result<O, Refusal> {
        unreachable!("the server calls functions directly")
    }

    #[cfg(not(feature = "ssr"))]
    fn run_client(path: &str, input: I) -> impl Future<Output = Result<O, Refusal>> + Send {
        browser::call(path, input.written())
    }
}

#[cfg(not(feature = "ssr"))]
pub mod browser {
    use std::pin::Pin;

    use js_sys::Array;
    use leptos::{
        prelude::*,
        server_fn::error::{FromServerFnError, ServerFnErrorErr},
        web_sys::{
            AbortSignal, FormData, HtmlElement, HtmlFormElement, RequestInit, Response, UrlSearchParams,
        },
    };
    use send_wrapper::SendWrapper;
    use wasm_bindgen::{JsCast, prelude::wasm_bindgen};
    use wasm_bindgen_futures::JsFuture;

    use super::{Answer, Encoded};
    use crate::ui::actions::{
        outcome::{Advice, Outcome},
        refusal::{FieldError, Refusal},
    };

    /// After which an answer is no longer waited for. The server gives up before.
    const TIMEOUT_MS: u32 = 45_000;

    #[wasm_bindgen]
    extern "C" {
        /// What a function returned, as the browser's own JSON parser read it.
        pub type Json;

        #[wasm_bindgen(method, getter)]
        fn to(this: &Json) -> Option<String>;

        #[wasm_bindgen(method, getter)]
        fn message(this: &Json) -> Option<String>;

        #[wasm_bindgen(method, getter)]
        fn part(this: &Json) -> Option<String>;

        #[wasm_bindgen(method, getter)]
        fn version(this: &Json) -> Option<f64>;

        #[wasm_bindgen(method, getter)]
        fn fields(this: &Json) -> Option<Array>;

        #[wasm_bindgen(method, getter)]
        fn name(this: &Json) -> String;

        #[wasm_bindgen(method, getter)]
        fn error(this: &Json) -> Option<String>;

        #[wasm_bindgen(method, getter)]
        fn advice(this: &Json) -> Option<String>;
    }

    impl Json {
        #[expect(clippy::cast_possible_truncation, reason = "versions count saves")]
        fn whole_version(&self) -> Option<i64> {
            self.version().map(|version| version as i64)
        }
    }

    impl Encoded {
        /// What the browser would post, with the button that was pressed.
        pub fn of(form: &HtmlFormElement, submitter: Option<&HtmlElement>) -> Option<Self> {
            let fields = FormData::new_with_form(form).ok()?;
            if let Some((name, value)) = submitter
                .and_then(|button| Some((button.get_attribute("name")?, button.get_attribute("value")?)))
            {
                fields.append_with_str(&name, &value).ok()?;
            }
            let encoded = UrlSearchParams::new_with_str_sequence_sequence(&fields).ok()?;
            Some(Self(encoded.to_string().into()))
        }

        /// These fields and no others.
        pub fn fields(fields: &[(&str, &str)]) -> Option<Self> {
            let encoded = UrlSearchParams::new().ok()?;
            for (name, value) in fields {
                encoded.append(name, value);
            }
            Some(Self(encoded.to_string().into()))
        }

        /// With more fields, encoded already.
        pub fn and(self, more: &str) -> Self {
            Self(format!("{}&{more}", self.0))
        }

        pub fn as_str(&self) -> &str {
            &self.0
        }
    }

    impl Answer for Outcome {
        fn read(answer: &Json) -> Self {
            Self {
                to: answer.to(),
                message: answer.message(),
                part: answer.part(),
                version: answer.whole_version(),
            }
        }
    }

    impl Answer for Advice {
        fn read(answer: &Json) -> Self {
            Self {
                error: answer.error(),
                advice: answer.advice(),
            }
        }
    }

    impl Answer for Refusal {
        fn read(answer: &Json) -> Self {
            let fields = answer.fields().unwrap_or_default();
            let fields = fields.iter().map(|field| {
                let field: Json = field.unchecked_into();
                FieldError {
                    name: field.name(),
                    message: field.message().unwrap_or_default(),
                }
            });
            Self {
                message: answer.message().unwrap_or_default(),
                fields: fields.collect(),
                part: answer.part(),
                version: answer.whole_version(),
                retry_after: None,
            }
        }
    }

    type Called<O> = SendWrapper<Pin<Box<dyn Future<Output = Result<O, Refusal>>>>>;

    /// Boxed, so that one more function costs next to nothing.
    pub fn call<O: Answer>(path: &str, body: &str) -> Called<O> {
        let sent = send(path, body);
        SendWrapper::new(Box::pin(async move {
            match sent.await {
                Some((true, answer)) => Ok(O::read(&answer)),
                Some((false, answer)) => Err(Refusal::read(&answer)),
                None => Err(Refusal::from_server_fn_error(ServerFnErrorErr::Request(
                    String::new(),
                ))),
            }
        }))
    }

    /// `None` if there is no answer, or one that is not ours, such as a proxy's error page.
    fn send(path: &str, body: &str) -> impl Future<Output = Option<(bool, Json)>> + use<> {
        let request = RequestInit::new();
        request.set_method("POST");
        request.set_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)));
        // As a string it would be sent as plain text.
        let body = UrlSearchParams::new_with_str(body);
        if let Ok(body) = &body {
            request.set_body(body);
        }
        let sent = window().fetch_with_str_and_init(path, &request);
        async move {
            let response: Response = JsFuture::from(sent).await.ok()?.dyn_into().ok()?;
            let json = JsFuture::from(response.json().ok()?).await.ok()?;
            Some((
                response.ok(),
                json.dyn_into::<js_sys::Object>().ok()?.unchecked_into(),
            ))
        }
    }
}
