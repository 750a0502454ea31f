//! Commands of the program.

use super::Log;
use crate::support::{app::PASSWORD, program::Program, receiver::Receiver};

/// Commands that change nothing in the audit log of this database: they read, serve, or create another database.
const READING: [&str; 10] = [
    "api-key list",
    "copy",
    "healthcheck",
    "listen",
    "migrate",
    "openapi",
    "serve",
    "trigger",
    "user list",
    "verify",
];

/// Returns the commands that a help text lists.
fn commands(program: &Program, parents: &[&str]) -> Vec<String> {
    let output = program.run(&[parents, &["--help"]].concat());
    let help = String::from_utf8(output.stdout).unwrap();
    let Some((_, list)) = help.split_once("\nCommands:\n") else {
        return vec![parents.join(" ")];
    };
    let names = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            // The name stands two columns from the left; longer descriptions may wrap.
            let name = line.strip_prefix("  ")?;
            (!name.starts_with(' ')).then(|| name.split(' ').next().unwrap())
        });
    names
        .filter(|name| *name != "help")
        .flat_map(|name| commands(program, &[parents, &[name]].concat()))
        .collect()
}

#[tokio::test]
async fn commands_write_entries() {
    let mut program = Program::start(&[]).await;
    let receiver = Receiver::start().await;
    program.api().add_webhook(&receiver.url("/")).await;
    let mut log = Log::of(&program.folder().join("data"));
    let _ = log.new_actions().await;
    let email = ["--email", "ada@example.com"];
    let steps: [(&str, &[&str], &str, &[&str]); 8] = [
        (
            "user add",
            &["--role", "viewer", "--password-stdin"],
            PASSWORD,
            &["user.added"],
        ),
        ("user set-role", &["--role", "member"], "", &["user.role_changed"]),
        (
            "user set-password",
            &["--password-stdin"],
            PASSWORD,
            &["user.password_changed"],
        ),
        ("user disable", &[], "", &["user.disabled"]),
        ("user enable", &[], "", &["user.enabled"]),
        ("user invite", &["--role", "viewer"], "", &["user.invited"]),
        ("api-key create", &["--name", "deploy"], "", &["api_key.created"]),
        ("api-key revoke", &[], "", &["api_key.revoked"]),
    ];
    let mut key = String::new();
    for (command, arguments, input, actions) in steps {
        let mut line: Vec<&str> = command.split(' ').collect();
        match command {
            "user invite" => line.extend(["--email", "bob@example.com"]),
            "api-key revoke" => line.extend(["--prefix", &key[..10]]),
            "api-key create" => {}
            _ => line.extend(email),
        }
        line.extend(arguments);
        let output = program.run_with(&line, input);
        log.expect(command, actions).await;
        if command == "api-key create" {
            key = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        }
    }
    let rotate = ["rotate-master-key", "--new-key-file", "new.key"];
    program.output(&rotate);
    program.kill();
    program
        .restart(&[("CALEIDA_PREVIOUS_MASTER_KEY_FILE", "new.key")])
        .await;
    program.run(&rotate);
    log.expect("rotate-master-key", &["webhook.secret_resealed"])
        .await;

    let mutations = commands(&program, &[])
        .into_iter()
        .filter(|command| !READING.contains(&&**command));
    log.assert_covers(mutations.collect());
}
