//! The command line: one file per command.

pub mod api_key;
pub mod copy;
pub mod healthcheck;
pub mod listen;
pub mod migrate;
pub mod openapi;
pub mod rotate_master_key;
pub mod serve;
pub mod terminal;
pub mod trigger;
pub mod user;
pub mod verify;

use std::{fmt::Display, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand, error::ErrorKind};

use crate::{
    domain::Clock,
    server::{Config, clock::SystemClock},
};

/// Webhooks for Caleida: a dashboard, an API and a delivery engine in one program
#[derive(Parser)]
#[command(name = "caleida", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run dashboard, API and delivery
    Serve(Box<Config>),
    /// Apply the database's migrations and stop; serve does it too
    Migrate(migrate::MigrateArgs),
    /// Copy everything into another, empty database: from SQLite to PostgreSQL, or back
    Copy(copy::CopyArgs),
    /// Seal every secret with another master key, while everything runs
    RotateMasterKey(rotate_master_key::RotateMasterKeyArgs),
    /// Add, invite and list users, set a password or a role, disable, enable
    User(user::UserArgs),
    /// Ask a running server whether it is ready: exit code 0, or 1 with the reason
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Make keys with which machines call the API
    ApiKey(api_key::ApiKeyArgs),
    /// Receive webhooks here, verify and print them
    Listen(listen::ListenArgs),
    /// Publish a sample event through the API
    Trigger(trigger::TriggerArgs),
    /// Print the description of the API, as OpenAPI
    #[command(name = "openapi")]
    OpenApi(openapi::OpenApiArgs),
    /// Verify the signature of a call, with its body on stdin
    Verify(verify::VerifyArgs),
}

/// Reads the arguments and runs the command. Exit code 2 for arguments and configuration that cannot be used.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no runtime: {error}")),
    };
    runtime.block_on(async {
        match cli.command {
            Command::Serve(config) => serve::run(*config).await,
            Command::Migrate(args) => migrate::run(args).await,
            Command::Copy(args) => ended(copy::run(args).await),
            Command::RotateMasterKey(args) => ended(rotate_master_key::run(args).await),
            Command::User(args) => ended(user::run(args).await),
            Command::Healthcheck(args) => ended(healthcheck::run(args).await),
            Command::ApiKey(args) => ended(api_key::run(args).await),
            Command::Listen(args) => ended(listen::run(args, Arc::new(SystemClock)).await),
            Command::Trigger(args) => ended(trigger::run(args).await),
            Command::OpenApi(args) => ended(openapi::run(&args)),
            Command::Verify(args) => ended(verify::run(args, SystemClock.now()).await),
        }
    })
}

/// Exit code 0, or 1 with the reason on stderr.
fn ended<E: Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("caleida: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Help and version as they are; anything else as one line that says what is wrong.
fn refuse(error: &clap::Error) -> ExitCode {
    let asked_for = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if asked_for {
        error.exit();
    }
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    fail(line.strip_prefix("error: ").unwrap_or(line))
}

/// One line on stderr, and exit code 2: nothing was started.
fn fail(message: &str) -> ExitCode {
    eprintln!("caleida: {message}");
    ExitCode::from(2)
}
