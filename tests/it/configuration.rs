//! Configuration by flags and environment variables.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::json;

use crate::support::{
    app::eventually,
    program::Program,
    receiver::{Receiver, Reply},
};

/// Runs the program in a folder, with only these environment variables.
fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caleida"));
    command.current_dir(folder).env_clear().args(arguments);
    command.envs(variables.iter().copied()).output().unwrap()
}

/// Runs the program in an empty folder.
fn run_alone(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    run(tempfile::tempdir().unwrap().path(), arguments, variables)
}

/// Asserts that the program refused its configuration with one line, and returns the line.
fn refusal(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

/// A command with its environment variables.
struct Leaf {
    path: Vec<String>,
    variables: Vec<String>,
}

/// Returns the commands that have no subcommands.
fn leaves(command: &clap::Command, path: &[String], inherited: &[String]) -> Vec<Leaf> {
    let own = command
        .get_arguments()
        .filter_map(|argument| Some(argument.get_env()?.to_str().unwrap().to_owned()));
    let variables: Vec<_> = inherited.iter().cloned().chain(own).collect();
    let children: Vec<_> = command
        .get_subcommands()
        .flat_map(|child| {
            let path = [path, &[child.get_name().to_owned()]].concat();
            leaves(child, &path, &variables)
        })
        .collect();
    if children.is_empty() {
        vec![Leaf {
            path: path.to_vec(),
            variables,
        }]
    } else {
        children
    }
}

/// Returns arguments that end a command which would otherwise run until it is stopped.
fn ending(command: &str, variable: &str) -> &'static [&'static str] {
    match (command, variable) {
        ("serve", "LEPTOS_SITE_ROOT") => &["--role", "web"],
        ("serve", _) => &["--site-root", "missing"],
        ("listen", "CALEIDA_FORWARD") => &["--secret", "short"],
        ("listen", _) => &["--forward", "ftp://127.0.0.1"],
        _ => &[],
    }
}

#[test]
fn empty_variables_of_every_command_count_as_unset() {
    let mut variables = 0;
    for leaf in leaves(&caleida::cli::command(), &[], &[]) {
        for variable in &leaf.variables {
            let mut arguments: Vec<_> = leaf.path.iter().map(String::as_str).collect();
            arguments.extend(ending(&leaf.path[0], variable));
            let result = |variables: &[(&str, &str)]| {
                let folder = tempfile::tempdir().unwrap();
                let Output {
                    status,
                    stdout,
                    stderr,
                } = run(folder.path(), &arguments, variables);
                // Each run has its own folder, which messages may name.
                let own_folder = folder.path().to_str().unwrap();
                let streams = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
                (
                    status.code(),
                    streams.map(|text| text.replace(own_folder, "FOLDER")),
                )
            };
            assert_eq!(
                result(&[(variable, "")]),
                result(&[]),
                "{variable} of {arguments:?}"
            );
            variables += 1;
        }
    }
    assert!(variables > 30, "only {variables} variables");
}

#[tokio::test]
async fn server_starts_with_all_variables_empty() {
    let serve = leaves(&caleida::cli::command(), &[], &[]);
    let serve = serve.into_iter().find(|leaf| leaf.path == ["serve"]).unwrap();
    // The addresses and the folder of the site come from the test.
    let kept = [
        "CALEIDA_LISTEN",
        "CALEIDA_METRICS_LISTEN",
        "LEPTOS_SITE_ROOT",
        "CALEIDA_ALLOW_HTTP",
        "CALEIDA_ALLOW_NETWORKS",
    ];
    let empty = serve
        .variables
        .iter()
        .filter(|name| !kept.contains(&name.as_str()));
    let mut settings: Vec<_> = empty.map(|name| (&*name.clone().leak(), "")).collect();
    settings.push(("RUST_LOG", ""));
    let program = Program::start(&settings).await;
    let receiver = Receiver::start().await;
    receiver.reply(Reply::full(500, &[], ""));
    let api = program.api();
    api.add_webhook(&receiver.url("/")).await;
    api.publish("order-1").await.unwrap();
    receiver.wait_for(1).await;
    // The default schedule retries, and the default filter shows attempts.
    let retried = eventually(|| async {
        let pending = api.deliveries("pending").await;
        pending
            .first()
            .is_some_and(|delivery| delivery["attempts"] == json!(1))
            .then_some(())
    });
    retried.await.expect("a retry is scheduled");
    program.wait_for_log("attempt").await;
}

#[tokio::test]
async fn retry_schedule_off_means_one_attempt() {
    let program = Program::start(&[("CALEIDA_RETRY_SCHEDULE", "off")]).await;
    let receiver = Receiver::start().await;
    receiver.reply(Reply::full(500, &[], ""));
    let api = program.api();
    api.add_webhook(&receiver.url("/")).await;
    api.publish("order-1").await.unwrap();
    let failed = eventually(|| async { api.deliveries("failed").await.into_iter().next() }).await;
    assert_eq!(failed.expect("the delivery fails")["attempts"], json!(1));
}

#[test]
fn empty_flags_are_errors() {
    for flag in [
        "retry-schedule",
        "public-url",
        "listen",
        "retention",
        "max-webhooks",
        "database-url",
        "allow-http",
        "role",
    ] {
        let line = refusal(&run_alone(&["serve", &format!("--{flag}=")], &[]));
        assert!(line.contains(flag), "{line}");
    }
}

#[test]
fn invalid_public_url_is_refused_with_what_to_write() {
    for (url, advice) in [
        ("\"https://h.example\"", "remove the quotation marks"),
        ("'http://h.example:8080'", "remove the quotation marks"),
        ("h.example", "starts with https:// or http://"),
        ("ftp://h.example", "starts with https:// or http://"),
        (
            "https://ada:secret@h.example",
            "remove the user name and password",
        ),
        ("https://h.example?x", "use https://h.example"),
        ("https://h.example/#top", "use https://h.example"),
        ("https://", "use a URL such as https://hooks.example.com"),
        ("http://0.0.0.0:3000", "browsers cannot open 0.0.0.0"),
        (
            "https://H.example/hooks/",
            "Caleida needs a host name of its own and cannot be served under a path: use https://h.example",
        ),
    ] {
        for command in [
            &["serve"][..],
            &["openapi"],
            &["trigger", "chat"],
            &["user", "invite", "--email=ada@example.com", "--role=viewer"],
        ] {
            let folder = tempfile::tempdir().unwrap();
            let line = refusal(&run(folder.path(), command, &[("CALEIDA_PUBLIC_URL", url)]));
            assert!(line.contains(advice), "{command:?}: {line}");
            let files = std::fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(files, 0, "{command:?} created something");
        }
    }
}

#[test]
fn commands_use_the_normalized_public_url() {
    for url in ["HTTPS://Hooks.Example.com/", " https://hooks.example.com:443"] {
        let variables = [("CALEIDA_PUBLIC_URL", url)];
        let invite = ["user", "invite", "--email=ada@example.com", "--role=viewer"];
        for (command, expected) in [
            (&invite[..], "https://hooks.example.com/invite/"),
            (&["openapi"], "\"https://hooks.example.com\""),
        ] {
            let folder = tempfile::tempdir().unwrap();
            assert!(run(folder.path(), &["migrate"], &[]).status.success());
            let output = run(folder.path(), command, &variables);
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.contains(expected), "{url}: {text}");
            assert!(output.stderr.is_empty(), "{:?}", output.stderr);
        }
    }
}

#[tokio::test]
async fn links_never_name_an_unspecified_address() {
    for (listen, expected) in [("0.0.0.0:0", "http://127.0.0.1:"), ("[::]:0", "http://[::1]:")] {
        let program = Program::start(&[("CALEIDA_LISTEN", listen)]).await;
        let address = format!("http://{}", program.api().address());
        assert!(address.starts_with(expected), "{address}");
        program.wait_for_log("set CALEIDA_PUBLIC_URL").await;
        let invited = program.run(&["user", "invite", "--email=ada@example.com", "--role=viewer"]);
        let link = String::from_utf8(invited.stdout).unwrap();
        assert!(link.starts_with(expected) && link.contains("/invite/"), "{link}");
        let warning = String::from_utf8(invited.stderr).unwrap();
        assert!(warning.contains("CALEIDA_PUBLIC_URL is not set"), "{warning}");
    }
}
