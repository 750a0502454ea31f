//! The command line. One file per command; `terminal` escapes and formats their output.

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

use std::{env, fmt::Display, io, process::ExitCode, sync::Arc};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, builder::Resettable, error::ErrorKind};

use self::terminal::print_error;
use crate::{
    domain::{
        Clock,
        text::{InvalidLine, parse_line},
    },
    server::{Config, clock::SystemClock, config::Database},
    store::{self, Store},
};

/// Caleida webhooks: dashboard, API and delivery engine in one program
#[derive(Parser)]
#[command(name = "caleida", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the dashboard, the API and the delivery engine
    Serve(Box<Config>),
    /// Apply database migrations and exit; serve applies them too
    Migrate(migrate::MigrateArgs),
    /// Copy all data to another, empty database: from SQLite to PostgreSQL, or back
    Copy(copy::CopyArgs),
    /// Re-encrypt all webhook secrets with another master key, without downtime
    RotateMasterKey(rotate_master_key::RotateMasterKeyArgs),
    /// Manage users: add, invite, list, disable and enable them, set passwords and roles
    User(user::UserArgs),
    /// Check whether a running server is ready: exit code 0, or 1 with the reason
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Manage API keys
    ApiKey(api_key::ApiKeyArgs),
    /// Receive webhook calls on this machine, verify and print them
    Listen(listen::ListenArgs),
    /// Publish a sample event through the API
    Trigger(trigger::TriggerArgs),
    /// Print the OpenAPI description of the API
    #[command(name = "openapi")]
    OpenApi(openapi::OpenApiArgs),
    /// Verify the signature of a webhook call, with its body on stdin
    Verify(verify::VerifyArgs),
}

/// Parses the arguments and runs the command. Returns exit code 2 for invalid arguments or configuration.
pub fn run() -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => return usage_error(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start the async runtime: {error}")),
    };
    runtime.block_on(async {
        match cli.command {
            Command::Serve(config) => serve::run(*config).await,
            Command::Migrate(args) => migrate::run(args).await,
            Command::Copy(args) => copy::run(args).await,
            Command::RotateMasterKey(args) => rotate_master_key::run(args).await,
            Command::User(args) => user::run(args).await,
            Command::Healthcheck(args) => exit_code(healthcheck::run(args).await),
            Command::ApiKey(args) => api_key::run(args).await,
            Command::Listen(args) => exit_code(listen::run(args, Arc::new(SystemClock)).await),
            Command::Trigger(args) => exit_code(trigger::run(args).await),
            Command::OpenApi(args) => exit_code(openapi::run(&args)),
            Command::Verify(args) => exit_code(verify::run(args, SystemClock.now()).await),
        }
    })
}

/// Returns the program's command line, with all commands, flags and environment variables.
pub fn command() -> clap::Command {
    Cli::command()
}

fn parse() -> Result<Cli, clap::Error> {
    let mut command = without_empty_variables(command());
    let mut matches = command.try_get_matches_from_mut(env::args_os())?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Makes a command and its subcommands ignore environment variables that are set but empty.
///
/// Clap uses the empty text as the value. But compose files, Helm charts and CI set a variable to an empty text if it
/// has no value, so it counts as not set. An empty flag stays an error.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| {
        let value = arg.get_env().and_then(env::var_os);
        if value.is_some_and(|value| value.is_empty()) {
            arg.env(Resettable::Reset)
        } else {
            arg
        }
    });
    command.mut_subcommands(without_empty_variables)
}

/// Runs a command on the database of a server, and closes the database. Fails with exit code 2 if there is none.
async fn on_database(
    database: &Database,
    command: impl AsyncFnOnce(Arc<Store>) -> Result<(), String>,
) -> ExitCode {
    let store = match store::open_existing(&database.database_url).await {
        Ok(store) => store,
        Err(error) => return fail(&error.to_string()),
    };
    let result = command(Arc::clone(&store)).await;
    close(&store).await;
    exit_code(result)
}

/// Closes a database. A failure does not undo the command.
async fn close(store: &Store) {
    if let Err(error) = store.close().await {
        print_error(format_args!("failed to close the database: {error}"));
    }
}

/// Returns exit code 0, or 1 after printing the error to stderr.
fn exit_code<E: Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(error);
            ExitCode::FAILURE
        }
    }
}

/// Prints help and version as clap does, and other errors as one line.
fn usage_error(error: &clap::Error) -> ExitCode {
    let is_help_or_version = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if is_help_or_version {
        return match error.print() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                print_error(format!("cannot write to stdout: {error}"));
                ExitCode::FAILURE
            }
            _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
        };
    }
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    fail(line.strip_prefix("error: ").unwrap_or(line))
}

/// Prints one line to stderr and returns exit code 2, which means that nothing was started.
fn fail(message: &str) -> ExitCode {
    print_error(message);
    ExitCode::from(2)
}

/// Parses the name of an account.
fn account_name(name: &str) -> Result<String, String> {
    parse_line(name).map_err(|error| match error {
        InvalidLine::Empty => "use a name with a visible character".to_owned(),
        InvalidLine::Control => "remove line breaks and other control characters".to_owned(),
        InvalidLine::Invisible(character) => format!("remove the invisible character {character}"),
    })
}
