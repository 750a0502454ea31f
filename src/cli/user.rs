use std::{io::Read, net::SocketAddr, sync::Arc};

use clap::Subcommand;
use zeroize::Zeroizing;

use crate::{
    auth::{
        Auth,
        password::{self, NewPassword},
    },
    domain::{Clock, Email, Role},
    server::{
        clock::SystemClock,
        config::{Database, public_url},
    },
    store::{self, Changed, DEFAULT_ACCOUNT, Invited, Person, Store, StoreError},
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
    /// Add a user; the password comes from stdin
    Add {
        #[arg(long, value_parser = Email::parse)]
        email: Email,
        /// admin, member or viewer
        #[arg(long)]
        role: Role,
        /// The account that the user belongs to; made if there is none of that name
        #[arg(long, default_value = DEFAULT_ACCOUNT)]
        account: String,
        /// Read the password from stdin: it never stands in a list of processes
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List all users
    List,
    /// Print a link, alone on stdout, with which somebody makes themselves a user; it can be used once, within 7 days
    Invite {
        #[arg(long, value_parser = Email::parse)]
        email: Email,
        /// admin, member or viewer
        #[arg(long)]
        role: Role,
        /// The account that they will belong to; made if there is none of that name
        #[arg(long, default_value = DEFAULT_ACCOUNT)]
        account: String,
        /// The dashboard's URL as browsers see it [default: http:// + listen]
        #[arg(long, env = "CALEIDA_PUBLIC_URL", value_name = "URL")]
        public_url: Option<String>,
        /// Where the dashboard listens
        #[arg(
            long,
            env = "CALEIDA_LISTEN",
            value_name = "ADDRESS",
            default_value = "127.0.0.1:3000"
        )]
        listen: SocketAddr,
    },
    /// Set a user's password, from stdin; wherever they are signed in, they are signed out
    SetPassword {
        #[arg(long)]
        email: String,
        /// Read the password from stdin
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Give a user another role
    SetRole {
        #[arg(long)]
        email: String,
        /// admin, member or viewer
        #[arg(long)]
        role: Role,
    },
    /// Keep a user from signing in, and sign them out; what they did stays on record
    Disable {
        #[arg(long)]
        email: String,
    },
    /// Let a disabled user sign in again
    Enable {
        #[arg(long)]
        email: String,
    },
}

pub async fn run(args: UserArgs) -> Result<(), String> {
    println!("{}", execute(args).await?);
    Ok(())
}

async fn execute(args: UserArgs) -> Result<String, String> {
    let store = store::open(&args.database.database_url)
        .await
        .map_err(|error| error.to_string())?;
    let auth = Auth::new(Arc::clone(&store), Arc::new(SystemClock));
    match args.command {
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
                Ok(user) => Ok(format!("{} may sign in as {}.", user.email, user.role)),
                Err(StoreError::Conflict(_)) => Err(format!("there is a user {email} already")),
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
            public_url: configured,
            listen,
        } => {
            let account = store
                .ensure_account(&account, SystemClock.now())
                .await
                .map_err(|error| error.to_string())?;
            let context = auth.operator(account);
            let invited = auth.invite(&context, email.clone(), role).await;
            match invited.map_err(|error| error.to_string())? {
                Ok(token) => Ok(invite_link(&public_url(configured.as_deref(), listen), &token)),
                Err(Invited::Disabled) => Err(format!("{email} is disabled: enable them instead")),
                Err(Invited::Already) => Err(format!(
                    "{email} was invited already: make a new link on the page “Users”"
                )),
                Err(Invited::Member | Invited::Done) => Err(format!("there is a user {email} already")),
            }
        }
        Command::SetPassword {
            email,
            password_stdin: _,
        } => {
            let password = read_password()?;
            let Person { user, .. } = known(&store, &email).await?;
            let hash = password::hash(password.to_string()).await;
            let context = auth.operator(user.account_id.clone());
            store
                .set_password(&context, &user.id, &hash, None)
                .await
                .map_err(|error| error.to_string())?;
            Ok(format!("{} has a new password.", user.email))
        }
        Command::SetRole { email, role } => {
            let Person { user, .. } = known(&store, &email).await?;
            let context = auth.operator(user.account_id.clone());
            done(store.change_role(&context, &user.id, role).await, &user.email)?;
            Ok(format!("{} is {role} now.", user.email))
        }
        Command::Disable { email } => {
            let Person { user, .. } = known(&store, &email).await?;
            let context = auth.operator(user.account_id.clone());
            done(store.disable_user(&context, &user.id).await, &user.email)?;
            Ok(format!("{} cannot sign in any more.", user.email))
        }
        Command::Enable { email } => {
            let Person { user, .. } = known(&store, &email).await?;
            let context = auth.operator(user.account_id.clone());
            done(store.enable_user(&context, &user.id).await, &user.email)?;
            Ok(format!("{} may sign in again.", user.email))
        }
    }
}

async fn known(store: &Store, email: &str) -> Result<Person, String> {
    let person = store.person_by_email(&email.trim().to_lowercase()).await;
    let person = person.map_err(|error| error.to_string())?;
    person.ok_or_else(|| format!("there is no user {email}"))
}

fn done(changed: Result<Changed, StoreError>, email: &str) -> Result<(), String> {
    match changed.map_err(|error| error.to_string())? {
        Changed::Done => Ok(()),
        Changed::LastAdmin => Err(format!(
            "{email} is the account's last active admin: make somebody else an admin first"
        )),
        Changed::NotFound => Err(format!("there is no user {email}")),
    }
}

/// Everything on stdin but the line break at its end.
fn read_password() -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| format!("stdin cannot be read: {error}"))?;
    let password = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    match NewPassword::parse(&password) {
        Ok(_) => Ok(password),
        Err(error) => Err(format!("the password cannot be used: {error}")),
    }
}
