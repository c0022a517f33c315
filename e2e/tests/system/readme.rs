//! README's commands, run as they stand but for the port.

use std::process::Stdio;

use e2e::System;
use serde_json::{Deserializer, Value};
use tokio::process::Command;

const README: &str = include_str!("../../../README.md");

/// The `sh` blocks of README, one after the other.
fn script() -> String {
    let blocks = README.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

async fn run(system: &System, script: &str) -> Vec<Value> {
    let script = script.replace("localhost:8080", &format!("localhost:{}", system.api));
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(system.directory())
        .stderr(Stdio::inherit())
        .output()
        .await
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Result<Vec<Value>, _> = Deserializer::from_str(&text).into_iter().collect();
    answers.unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

fn fields(answer: &Value) -> Vec<&str> {
    let mut fields: Vec<_> = answer
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    fields.sort_unstable();
    fields
}

#[tokio::test]
async fn the_walk_through_works_as_it_stands() {
    let mut system = System::start().await;
    let answers = run(&system, &script()).await;
    let [
        signed_up,
        signed_in,
        client,
        header,
        id,
        subdomain,
        path,
        note,
        notes,
    ] = &answers[..]
    else {
        panic!("{answers:#?}")
    };
    assert_eq!(
        fields(signed_up),
        ["access_info", "admin", "message", "tenant"]
    );
    let tenant = ["domain", "id", "name", "plan", "slug", "status"];
    assert_eq!(fields(&signed_up["tenant"]), tenant);
    assert_eq!(
        fields(&signed_up["admin"]),
        ["email", "id", "role", "username"]
    );
    assert_eq!(signed_up["admin"]["role"], "owner");
    assert_eq!(
        fields(&signed_up["access_info"]),
        ["header", "path", "subdomain"]
    );
    let login = ["message", "role", "tenant_slug", "user_id", "username"];
    assert_eq!(fields(signed_in), login);
    assert!(client["client_secret"].is_string());
    for answer in [header, id, subdomain, path] {
        assert_eq!(
            (&answer["tenant"], &answer["username"]),
            (&"acme".into(), &"ada".into())
        );
    }
    assert_eq!(note["title"], "First");
    assert_eq!(notes["notes"][0]["id"], note["id"]);
    assert_eq!(notes["notes"][0]["excerpt"], note["body"]);

    assert!(
        system.stop().await,
        "{}",
        std::fs::read_to_string(system.log()).unwrap()
    );
    system.launch().await;
    let body = serde_json::json!({"username": "ada", "password": "correct horse battery"});
    let again = system
        .post("/tenants/acme/oauth/login", &body)
        .send()
        .await
        .unwrap();
    assert_eq!(
        again.status(),
        200,
        "started again, it finds its data again"
    );
}
