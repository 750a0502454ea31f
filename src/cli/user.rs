//! `caleida user`: manages users.

use std::{io::Read, net::SocketAddr, process::ExitCode, sync::Arc};

use clap::Subcommand;
use zeroize::Zeroizing;

use super::{
    account_name,
    terminal::{print_error, print_line},
};
use crate::{
    auth::{
        Auth,
        password::{self, NewPassword},
    },
    domain::{Clock, Email, PublicUrl, Role},
    server::{
        clock::SystemClock,
        config::{Database, local_url, reachable},
    },
    store::{DEFAULT_ACCOUNT, InviteOutcome, Person, Store, StoreError, UserChangeOutcome},
    ui::invite_link,
};

#[derive(clap::Args)]
pub struct UserArgs {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    database: Database,
}

#[derive(Subcommand)]
enum Command {
    /// Add a user, with a password from stdin
    Add {
        /// Email address of the user
        #[arg(long, value_parser = Email::parse)]
        email: Email,
        /// Role of the user: admin, member or viewer
        #[arg(long)]
        role: Role,
        /// Account of the user; created if it does not exist
        #[arg(long, default_value = DEFAULT_ACCOUNT, value_parser = account_name)]
        account: String,
        /// Read the password from stdin, so that it does not appear in the list of processes
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List all users
    List,
    /// Invite a user: print a link, alone on stdout, that can be used once within 7 days
    Invite {
        /// Email address of the user
        #[arg(long, value_parser = Email::parse)]
        email: Email,
        /// Role of the user: admin, member or viewer
        #[arg(long)]
        role: Role,
        /// Account of the user; created if it does not exist
        #[arg(long, default_value = DEFAULT_ACCOUNT, value_parser = account_name)]
        account: String,
        /// URL of the dashboard in browsers [default: http:// + listen]
        #[arg(long, env = "CALEIDA_PUBLIC_URL", value_name = "URL")]
        public_url: Option<PublicUrl>,
        /// Address that the dashboard listens on
        #[arg(
            long,
            env = "CALEIDA_LISTEN",
            value_name = "ADDRESS",
            default_value = "127.0.0.1:3000"
        )]
        listen: SocketAddr,
    },
    /// Set a user's password from stdin, end their sessions, and unlock the account after failed sign-ins
    SetPassword {
        /// Email address of the user
        #[arg(long)]
        email: String,
        /// Read the password from stdin
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Change a user's role
    SetRole {
        /// Email address of the user
        #[arg(long)]
        email: String,
        /// Role of the user: admin, member or viewer
        #[arg(long)]
        role: Role,
    },
    /// Prevent a user from signing in, and end their sessions; their audit log entries are kept
    Disable {
        /// Email address of the user
        #[arg(long)]
        email: String,
    },
    /// Allow a disabled user to sign in again
    Enable {
        /// Email address of the user
        #[arg(long)]
        email: String,
    },
}

pub async fn run(args: UserArgs) -> ExitCode {
    let UserArgs { command, database } = args;
    super::on_database(&database, async |store| {
        print_line(execute(command, store).await?).map_err(|error| error.to_string())
    })
    .await
}

async fn execute(command: Command, store: Arc<Store>) -> Result<String, String> {
    let auth = Auth::new(Arc::clone(&store), Arc::new(SystemClock));
    match command {
        Command::Add {
            email,
            role,
            account,
            password_stdin: _,
        } => {
            let password = read_password()?;
            let account = store
                .ensure_account(&account, SystemClock.now())
                .await
                .map_err(|error| error.to_string())?;
            match auth.add_user(account, &email, role, &password).await {
                Ok(user) => Ok(format!("{} can sign in as {}.", user.email, user.role)),
                Err(StoreError::Conflict(_)) => Err(format!("user {email} already exists")),
                Err(error) => Err(error.to_string()),
            }
        }
        Command::List => {
            let users = store.users().await.map_err(|error| error.to_string())?;
            let lines = users.into_iter().map(|person| {
                let disabled = if person.disabled_at.is_some() {
                    "  disabled"
                } else {
                    ""
                };
                format!(
                    "{}  {}  {}{disabled}",
                    person.account, person.user.email, person.user.role
                )
            });
            Ok(lines.collect::<Vec<_>>().join("\n"))
        }
        Command::Invite {
            email,
            role,
            account,
            public_url,
            listen,
        } => {
            let account = store
                .ensure_account(&account, SystemClock.now())
                .await
                .map_err(|error| error.to_string())?;
            let context = auth.operator(account);
            let invited = auth.invite(&context, email.clone(), role).await;
            match invited.map_err(|error| error.to_string())? {
                Ok(token) => {
                    if public_url.is_none() && reachable(listen).ip().is_loopback() {
                        print_error("CALEIDA_PUBLIC_URL is not set, so this link works only on this machine");
                    }
                    let url = public_url.unwrap_or_else(|| local_url(listen));
                    Ok(invite_link(&url, &token))
                }
                Err(InviteOutcome::UserDisabled) => {
                    Err(format!("user {email} is disabled: enable the user instead"))
                }
                Err(InviteOutcome::AlreadyInvited) => Err(format!(
                    "{email} is already invited: create a new link on the page “Users”"
                )),
                Err(InviteOutcome::AlreadyMember | InviteOutcome::Created) => {
                    Err(format!("user {email} already exists"))
                }
            }
        }
        Command::SetPassword {
            email,
            password_stdin: _,
        } => {
            let password = read_password()?;
            let Person { user, .. } = find_user(&store, &email).await?;
            let hash = password::hash(password.to_string()).await;
            let context = auth.operator(user.account_id.clone());
            store
                .set_password(&context, &user.id, &hash, None)
                .await
                .map_err(|error| error.to_string())?;
            auth.unlock(&user.email)
                .await
                .map_err(|error| error.to_string())?;
            Ok(format!("{} has a new password.", user.email))
        }
        Command::SetRole { email, role } => {
            let Person { user, .. } = find_user(&store, &email).await?;
            let context = auth.operator(user.account_id.clone());
            check_changed(store.change_role(&context, &user.id, role).await, &user.email)?;
            Ok(format!("{} now has the role {role}.", user.email))
        }
        Command::Disable { email } => {
            let Person { user, .. } = find_user(&store, &email).await?;
            let context = auth.operator(user.account_id.clone());
            check_changed(store.disable_user(&context, &user.id).await, &user.email)?;
            Ok(format!("{} can no longer sign in.", user.email))
        }
        Command::Enable { email } => {
            let Person { user, .. } = find_user(&store, &email).await?;
            let context = auth.operator(user.account_id.clone());
            check_changed(store.enable_user(&context, &user.id).await, &user.email)?;
            Ok(format!("{} can sign in again.", user.email))
        }
    }
}

async fn find_user(store: &Store, email: &str) -> Result<Person, String> {
    let person = store.person_by_email(&Email::normalize(email)).await;
    let person = person.map_err(|error| error.to_string())?;
    person.ok_or_else(|| format!("user {email} not found"))
}

fn check_changed(changed: Result<UserChangeOutcome, StoreError>, email: &str) -> Result<(), String> {
    match changed.map_err(|error| error.to_string())? {
        UserChangeOutcome::Done => Ok(()),
        UserChangeOutcome::LastAdmin => Err(format!(
            "{email} is the last active admin of the account: make another user an admin first"
        )),
        UserChangeOutcome::NotFound => Err(format!("user {email} not found")),
    }
}

/// Reads a password from stdin, without the line break at its end.
fn read_password() -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| format!("cannot read stdin: {error}"))?;
    let password = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    match NewPassword::parse(&password) {
        Ok(_) => Ok(password),
        Err(error) => Err(format!("invalid password: {error}")),
    }
}
