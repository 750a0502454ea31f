//! `caleida openapi`: prints the OpenAPI description.

use super::terminal::{OutputError, print_line};
use crate::{api::Document, domain::PublicUrl};

#[derive(clap::Args)]
pub struct OpenApiArgs {
    /// URL of the server as clients see it
    #[arg(
        long,
        env = "CALEIDA_PUBLIC_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:3000"
    )]
    public_url: PublicUrl,
}

/// Prints the description that the server returns at `/api/v1/openapi.json`.
pub fn run(args: &OpenApiArgs) -> Result<(), OutputError> {
    let document = Document::new(&args.public_url);
    print_line(document.text())
}
