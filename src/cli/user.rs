use std::{io::Read, sync::Arc};

use clap::Subcommand;
use zeroize::Zeroizing;

use crate::{
    auth::{Auth, password},
    domain::{Clock, Role},
    server::{clock::SystemClock, config::Database},
    store::{self, DEFAULT_ACCOUNT, StoreError},
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
        #[arg(long)]
        email: String,
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
    /// Set a user's password, from stdin
    SetPassword {
        #[arg(long)]
        email: String,
        /// Read the password from stdin
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Keep a user from signing in; what they did stays on record
    Disable {
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
    let now = SystemClock.now();
    let unknown = |email: &str| format!("there is no user {email}");
    match args.command {
        Command::Add {
            email,
            role,
            account,
            password_stdin: _,
        } => {
            let password = read_password()?;
            let account = store
                .ensure_account(&account, now)
                .await
                .map_err(|error| error.to_string())?;
            match auth.add_user(account, &email, role, &password).await {
                Ok(user) => Ok(format!("{} may sign in as {}.", user.email, user.role)),
                Err(StoreError::Conflict) => Err(format!("there is a user {email} already")),
                Err(error) => Err(error.to_string()),
            }
        }
        Command::List => {
            let users = store.users().await.map_err(|error| error.to_string())?;
            let lines = users.into_iter().map(|user| {
                let disabled = if user.disabled { "  disabled" } else { "" };
                format!("{}  {}  {}{disabled}", user.account, user.email, user.role)
            });
            Ok(lines.collect::<Vec<_>>().join("\n"))
        }
        Command::SetPassword {
            email,
            password_stdin: _,
        } => {
            let password = read_password()?;
            match auth
                .set_password(&email, &password)
                .await
                .map_err(|error| error.to_string())?
            {
                true => Ok(format!("{email} has a new password.")),
                false => Err(unknown(&email)),
            }
        }
        Command::Disable { email } => {
            match store
                .disable_user(&email.to_lowercase(), now)
                .await
                .map_err(|error| error.to_string())?
            {
                true => Ok(format!("{email} cannot sign in any more.")),
                false => Err(unknown(&email)),
            }
        }
    }
}

/// Everything on stdin but the line break at its end.
fn read_password() -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| format!("stdin cannot be read: {error}"))?;
    let password = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    if password.chars().count() < password::MIN_LENGTH {
        return Err(format!(
            "use at least {} characters for the password",
            password::MIN_LENGTH
        ));
    }
    Ok(password)
}
