//! The protocol of server functions, client and server: the argument is a URL-encoded form, the result is JSON.
//!
//! The protocol of Leptos (`Http<PostUrl, Json>`) adds a form encoder, a JSON parser and an HTTP client to the
//! WebAssembly, 44 kB compressed. Browsers have all three. The form encoder of Leptos also rejects repeated fields, such
//! as checkboxes.

use std::{fmt, marker::PhantomData, ops::Deref};

use http::Method;
use leptos::server_fn::{Protocol, client::Client, server::Server};

use super::refusal::Refusal;

/// Protocol of all server functions.
pub struct FormProtocol;

/// The argument of a server function: a `T` on the server, the encoded form in the browser.
pub struct Form<T> {
    #[cfg(feature = "ssr")]
    pub value: T,
    #[cfg(not(feature = "ssr"))]
    encoded: EncodedForm,
    marker: PhantomData<T>,
}

/// Form fields in document order, as `application/x-www-form-urlencoded`.
#[cfg(not(feature = "ssr"))]
#[derive(Clone)]
pub struct EncodedForm(String);

impl<T: Clone> Clone for Form<T> {
    fn clone(&self) -> Self {
        Self {
            #[cfg(feature = "ssr")]
            value: self.value.clone(),
            #[cfg(not(feature = "ssr"))]
            encoded: self.encoded.clone(),
            marker: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Form<T> {
    /// Omits the fields, which may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Form")
    }
}

/// Argument of a server function.
pub trait Argument: Sized {
    #[cfg(feature = "ssr")]
    fn decode(body: &[u8]) -> Result<Self, Refusal>;
    #[cfg(not(feature = "ssr"))]
    fn encoded(&self) -> &str;
}

#[cfg(feature = "ssr")]
impl<T: serde::de::DeserializeOwned> Argument for Form<T> {
    fn decode(body: &[u8]) -> Result<Self, Refusal> {
        // Drops the parser's message, which may contain user input.
        let value = serde_html_form::from_bytes(body).map_err(|_| Refusal::unreadable())?;
        Ok(Self::new(value))
    }
}

#[cfg(feature = "ssr")]
impl<T> Form<T> {
    pub fn new(value: T) -> Self {
        Self {
            value,
            marker: PhantomData,
        }
    }
}

#[cfg(not(feature = "ssr"))]
impl<T> Argument for Form<T> {
    fn encoded(&self) -> &str {
        &self.encoded.0
    }
}

#[cfg(not(feature = "ssr"))]
impl<T> From<EncodedForm> for Form<T> {
    fn from(encoded: EncodedForm) -> Self {
        Self {
            encoded,
            marker: PhantomData,
        }
    }
}

/// Result of a server function.
#[cfg(feature = "ssr")]
pub trait FunctionResult: serde::Serialize {}
#[cfg(feature = "ssr")]
impl<T: serde::Serialize> FunctionResult for T {}
#[cfg(not(feature = "ssr"))]
pub trait FunctionResult: Sized + 'static {
    fn from_json(json: &browser::Json) -> Self;
}

impl<I, O, C, S> Protocol<I, O, C, S, Refusal> for FormProtocol
where
    I: Deref<Target: Argument> + From<I::Target> + Send,
    O: FunctionResult + Send,
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

        let response = async move {
            let body = Req::<Refusal>::try_into_bytes(request).await?;
            let argument: I = I::Target::decode(&body)?.into();
            let result = function(argument).await?;
            let json = serde_json::to_string(&result).map_err(|error| {
                Refusal::from_server_fn_error(ServerFnErrorErr::Serialization(error.to_string()))
            })?;
            S::Response::try_from_string(Encoding::CONTENT_TYPE, json)
        };
        response.await.inspect_err(|refusal: &Refusal| {
            // Leptos 0.8 returns 500 for every error unless the status is set here.
            refusal.set_response_options(&expect_context::<ResponseOptions>());
        })
    }

    #[cfg(not(feature = "ssr"))]
    async fn run_server<F, Fut>(_: S::Request, _: F) -> Result<S::Response, Refusal>
    where
        F: Fn(I) -> Fut + Send,
        Fut: Future<Output = Result<O, Refusal>> + Send,
    {
        unreachable!("server functions do not run in the browser")
    }

    #[cfg(feature = "ssr")]
    async fn run_client(_: &str, _: I) -> Result<O, Refusal> {
        unreachable!("the server calls functions directly")
    }

    #[cfg(not(feature = "ssr"))]
    fn run_client(path: &str, input: I) -> impl Future<Output = Result<O, Refusal>> + Send {
        browser::call(path, input.encoded())
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

    use super::{EncodedForm, FunctionResult};
    use crate::ui::actions::{
        outcome::{Advice, Outcome},
        refusal::{FieldError, Refusal},
    };

    /// Timeout of a call. Longer than the request timeout of the server.
    const TIMEOUT_MS: u32 = 45_000;

    #[wasm_bindgen]
    extern "C" {
        /// A JSON value parsed by the browser.
        pub type Json;

        #[wasm_bindgen(method, getter)]
        fn to(this: &Json) -> Option<String>;

        #[wasm_bindgen(method, getter)]
        fn message(this: &Json) -> Option<String>;

        #[wasm_bindgen(method, getter)]
        fn part(this: &Json) -> Option<String>;

        #[wasm_bindgen(method, getter)]
        fn submission(this: &Json) -> Option<String>;

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

    impl EncodedForm {
        /// Returns the fields that the browser would post, including the pressed button.
        pub fn from_form(form: &HtmlFormElement, submitter: Option<&HtmlElement>) -> Option<Self> {
            let fields = FormData::new_with_form(form).ok()?;
            if let Some((name, value)) = submitter
                .and_then(|button| Some((button.get_attribute("name")?, button.get_attribute("value")?)))
            {
                fields.append_with_str(&name, &value).ok()?;
            }
            let encoded = UrlSearchParams::new_with_str_sequence_sequence(&fields).ok()?;
            Some(Self(encoded.to_string().into()))
        }

        /// Returns a form with these fields.
        pub fn from_fields(fields: &[(&str, &str)]) -> Option<Self> {
            let encoded = UrlSearchParams::new().ok()?;
            for (name, value) in fields {
                encoded.append(name, value);
            }
            Some(Self(encoded.to_string().into()))
        }

        /// Adds encoded fields.
        pub fn with_fields(self, fields: &str) -> Self {
            Self(format!("{}&{fields}", self.0))
        }

        pub fn as_str(&self) -> &str {
            &self.0
        }
    }

    impl FunctionResult for Outcome {
        fn from_json(json: &Json) -> Self {
            Self {
                to: json.to(),
                message: json.message(),
                part: json.part(),
                version: json.whole_version(),
                submission: json.submission(),
            }
        }
    }

    impl FunctionResult for Advice {
        fn from_json(json: &Json) -> Self {
            Self {
                error: json.error(),
                advice: json.advice(),
            }
        }
    }

    impl FunctionResult for Refusal {
        fn from_json(json: &Json) -> Self {
            let fields = json.fields().unwrap_or_default();
            let fields = fields.iter().map(|field| {
                let field: Json = field.unchecked_into();
                FieldError {
                    name: field.name(),
                    message: field.message().unwrap_or_default(),
                }
            });
            Self {
                message: json.message().unwrap_or_default(),
                fields: fields.collect(),
                part: json.part(),
                version: json.whole_version(),
                retry_after: None,
            }
        }
    }

    pub type ResultFuture<O> = SendWrapper<Pin<Box<dyn Future<Output = Result<O, Refusal>>>>>;

    /// Calls a server function. The future is boxed, so that each additional function adds little to the WebAssembly.
    pub fn call<O: FunctionResult>(path: &str, body: &str) -> ResultFuture<O> {
        let response = send(path, body);
        SendWrapper::new(Box::pin(async move {
            match response.await {
                Some((true, json)) => Ok(O::from_json(&json)),
                Some((false, json)) => Err(Refusal::from_json(&json)),
                None => Err(Refusal::from_server_fn_error(ServerFnErrorErr::Request(
                    String::new(),
                ))),
            }
        }))
    }

    /// Sends the request. Returns `None` if there is no response, or if it is not JSON, such as the error page of a proxy.
    fn send(path: &str, body: &str) -> impl Future<Output = Option<(bool, Json)>> + use<> {
        let request = RequestInit::new();
        request.set_method("POST");
        request.set_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)));
        // `URLSearchParams` sets the content type. A string would be sent as plain text.
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
