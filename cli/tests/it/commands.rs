use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::{Ran, TestCli, program};

#[tokio::test]
async fn a_tenant_is_created_with_a_password_told_once() {
    let cli = TestCli::new().await;
    let made = cli.tenant("acme").await;
    assert_eq!(made["tenant"]["slug"], "acme");
    assert_eq!(made["admin"]["username"], "owner");
    assert!(made["admin"]["password"].as_str().unwrap().len() > 20);
    let shown = cli.run("tenant show acme").await;
    assert!(shown.out.contains("acme") && !shown.out.contains("password"));
    let events = cli.run("tenant events acme --json").await.json();
    assert_eq!(events["events"][0]["actor"], "command line");
}

#[tokio::test]
async fn a_password_may_come_from_a_file() {
    let cli = TestCli::new().await;
    let file = cli.directory.path().join("password");
    std::fs::write(&file, "correct horse\n").unwrap();
    let words = format!(
        "tenant create acme --email ada@example.com --json --password-file {}",
        file.display()
    );
    let made = cli.run(&words).await.json();
    assert!(made["admin"]["password"].is_null());
}

#[tokio::test]
async fn a_tenants_life_by_commands() {
    let cli = TestCli::new().await;
    cli.tenant("acme").await;
    for (words, status) in [
        ("suspend acme", "suspended"),
        ("resume acme", "active"),
        ("delete acme --yes", "deleting"),
        ("restore acme", "active"),
        ("delete acme --yes", "deleting"),
        ("purge acme --yes", "purged"),
    ] {
        let tenant = cli.run(&format!("tenant {words} --json")).await.json();
        assert_eq!(tenant["status"], status, "{words}");
    }
    assert_eq!(cli.run("tenant show acme").await.code, 3);
}

#[tokio::test]
async fn lists_are_filtered() {
    let cli = TestCli::new().await;
    for slug in ["acme", "globex"] {
        cli.tenant(slug).await;
    }
    cli.run("tenant suspend acme").await;
    let found = cli
        .run("tenant list --status suspended --json")
        .await
        .json();
    assert_eq!(found["tenants"].as_array().unwrap().len(), 1);
    let text = cli.run("tenant list").await.out;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("SLUG") && lines[1].starts_with("acme") && lines.len() == 3);
    assert_eq!(cli.run("tenant list --status asleep").await.code, 2);
}

#[tokio::test]
async fn plans_and_domains_are_changed() {
    let cli = TestCli::new().await;
    cli.tenant("acme").await;
    let tenant = cli.run("tenant plan acme premium --json").await.json();
    assert_eq!(tenant["plan"], "premium");
    assert_eq!(cli.run("tenant plan acme gold").await.code, 2);
    cli.run("tenant domain add acme app.acme.example").await;
    cli.run("tenant domain verify acme app.acme.example").await;
    let domains = cli.run("tenant domain list acme --json").await.json();
    assert_eq!(domains["domains"][0]["hostname"], "app.acme.example");
    assert!(domains["domains"][0]["verified_at"].is_string());
    let holders = cli
        .run("tenant domain holders App.Acme.example --json")
        .await
        .json();
    assert_eq!(holders["holders"][0]["slug"], "acme");
    let text = cli.run("tenant domain holders app.acme.example").await.out;
    assert!(
        text.starts_with("TENANT") && text.contains("acme"),
        "{text}"
    );
    let removed = cli
        .run("tenant domain remove acme app.acme.example --json")
        .await;
    assert_eq!(removed.json()["domains"], json!([]));
    let again = cli.run("tenant domain remove acme app.acme.example").await;
    assert_eq!(again.code, 3);
}

#[tokio::test]
async fn a_tenant_is_renamed() {
    let cli = TestCli::new().await;
    cli.tenant("acme").await;
    let tenant = cli
        .run("tenant rename acme --slug globex --name Globex --json")
        .await
        .json();
    assert_eq!(
        (&tenant["slug"], &tenant["name"]),
        (&json!("globex"), &json!("Globex"))
    );
    let shown = cli.run("tenant show acme").await;
    assert_eq!(shown.code, 3);
    assert!(shown.err.contains("called globex now"), "{}", shown.err);
    assert_eq!(cli.run("tenant rename globex").await.code, 2);
}

#[tokio::test]
async fn somebody_is_let_in() {
    let cli = TestCli::new().await;
    cli.tenant("acme").await;
    let words = "user create acme grace --email grace@example.com --role admin --json";
    let made = cli.run(words).await.json();
    assert_eq!(
        (&made["username"], &made["role"]),
        (&json!("grace"), &json!("admin"))
    );
    assert_eq!(cli.run(words).await.code, 4);
    let reset = cli.run("user reset-password acme grace").await;
    assert!(reset.out.contains("grace's password is "), "{}", reset.out);
    assert_eq!(cli.run("user reset-password acme nobody").await.code, 3);
}

#[tokio::test]
async fn exit_codes_say_what_went_wrong() {
    let cli = TestCli::new().await;
    cli.tenant("acme").await;
    for (words, code, said) in [
        ("tenant show nobody", 3, "no tenant nobody"),
        ("tenant resume acme", 4, "active"),
        ("tenant create acme --email ada@example.com", 4, "taken"),
        ("tenant create www --email nobody", 2, "admin_email"),
        ("tenant show A_B", 2, "A_B"),
        ("tenant", 2, "Usage"),
        ("nonsense", 2, "nonsense"),
    ] {
        let ran = cli.run(words).await;
        assert_eq!(ran.code, code, "{words}: {}", ran.err);
        assert!(ran.err.contains(said), "{words}: {}", ran.err);
    }
}

#[tokio::test]
async fn nothing_is_destroyed_unasked() {
    let cli = TestCli::new().await;
    cli.tenant("acme").await;
    let ran = cli.run("tenant delete acme").await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--yes"));
    let tenant = cli.run("tenant show acme --json").await.json();
    assert_eq!(tenant["status"], "active");
}

#[tokio::test]
async fn an_operators_token_is_printed_once() {
    let cli = TestCli::new().await;
    // Without a word of what to do it creates one, as before.
    for words in [
        "token create monitoring --days 30",
        "token monitoring",
        "token",
    ] {
        let token = cli.run(words).await;
        let out = token.out.trim();
        assert!(
            out.starts_with("tnt_op_") && out.len() == 50,
            "{words}: {}",
            token.err
        );
    }
    let token = cli.run("token create ci --json").await.json();
    assert!(token["expires_at"].is_string(), "it ends by default");
    let token = cli.run("token create forever --never --json").await.json();
    assert!(token["expires_at"].is_null());
    for wrong in ["--days 0", "--days 3651", "--days 9 --never"] {
        assert_eq!(cli.run(&format!("token create x {wrong}")).await.code, 2);
    }
}

#[tokio::test]
async fn operators_tokens_are_listed_and_revoked() {
    let cli = TestCli::new().await;
    let made = cli.run("token create ci --json").await.json();
    let id = made["id"].as_str().unwrap();
    let listed = cli.run("token list").await.out;
    assert!(
        listed.contains(id) && !listed.contains("tnt_op_"),
        "{listed}"
    );
    let revoked = cli.run(&format!("token revoke {id}")).await;
    assert_eq!(revoked.out.trim(), "ci is revoked.");
    let listed = cli.run("token list --json").await.json();
    assert!(listed["tokens"][0]["revoked_at"].is_string());
    let record = cli.run("events --json").await.json();
    assert_eq!(record["events"][0]["action"], "token.revoked");
    assert_eq!(cli.run("token revoke x").await.code, 2);
    let nobodys = "token revoke 00000000-0000-0000-0000-000000000000";
    assert_eq!(cli.run(nobodys).await.code, 3);
}

#[tokio::test]
async fn plans_are_listed_set_and_removed() {
    let cli = TestCli::new().await;
    let words = "plan set free --max-users 20 --max-notes unlimited --self-serve false --json";
    let plan = cli.run(words).await.json();
    assert_eq!(
        (&plan["max_users"], &plan["max_clients"]),
        (&20.into(), &5.into())
    );
    assert!(plan["max_notes"].is_null() && plan["self_serve"] == false);
    let listed = cli.run("plan list").await.out;
    assert!(
        listed.contains("operators") && listed.contains("unlimited"),
        "{listed}"
    );
    let incomplete = cli.run("plan set team --max-users 5").await;
    assert_eq!(incomplete.code, 2);
    assert!(incomplete.err.contains("max_clients"), "{}", incomplete.err);
    let limits = "--max-users 5 --max-clients 1 --max-notes 9 --requests-per-second 10 \
        --storage-bytes unlimited --api-calls-per-month unlimited";
    let whole = format!("plan set team --position 9 --self-serve true {limits}");
    assert_eq!(cli.run(&whole).await.code, 0);
    cli.run("tenant create acme --email ada@example.com --plan team")
        .await;
    assert_eq!(cli.run("plan remove team").await.code, 4);
    assert_eq!(cli.run("plan remove basic").await.code, 0);
    assert_eq!(cli.run("plan set free --max-users many").await.code, 2);
}

#[tokio::test]
async fn the_control_planes_login_is_enough_for_tenants() {
    let cli = TestCli::new().await;
    let mut url: url::Url = cli.database.admin_url().unwrap().parse().unwrap();
    url.set_username("tenantry_control").unwrap();
    let password = cli.database.logins().control.expose_secret();
    url.set_password(Some(password)).unwrap();
    for words in [
        "tenant create acme --email ada@example.com",
        "tenant delete acme --yes",
        "tenant purge acme --yes",
        "token create",
        "plan set free --max-users 11",
        "migrate status",
    ] {
        let mut command = program(cli.directory.path());
        command.env("CONTROL_DATABASE_URL", url.as_str());
        let ran = Ran::of(command.args(words.split(' ')).output().await.unwrap());
        assert_eq!(ran.code, 0, "{words}: {}", ran.err);
    }
}

#[tokio::test]
async fn a_doctor_finds_a_database_that_is_well() {
    let cli = TestCli::new().await;
    let mut command = cli.command();
    for port in ["API_PORT", "PAGES_PORT", "ADMIN_PORT"] {
        command.env(port, "0");
    }
    let ran = Ran::of(command.args(["doctor", "--json"]).output().await.unwrap());
    for finding in ran.json().as_array().unwrap() {
        assert_ne!(finding["standing"], "fail", "{finding}");
    }
}

#[tokio::test]
async fn a_doctor_finds_a_database_that_is_not_ready() {
    let cli = TestCli::new().await;
    let url = cli.database.admin_url().unwrap();
    let bare = url.replace(cli.database.name(), "postgres");
    let mut command = cli.command_on(&bare);
    let ran = Ran::of(command.arg("doctor").output().await.unwrap());
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("tenantry migrate run"), "{}", ran.out);
}

#[tokio::test]
async fn addresses_are_told_as_they_are_served() {
    let cli = TestCli::new().await;
    let mut command = cli.command();
    command.env("API_PORT", "9080");
    let words = ["tenant", "create", "acme", "--email", "ada@example.com"];
    let ran = Ran::of(command.args(words).output().await.unwrap());
    assert!(
        ran.out.contains("http://acme.localhost:9080"),
        "{}",
        ran.out
    );
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_without_its_password() {
    let cli = TestCli::new().await;
    let url = "postgres://postgres:very-secret@127.0.0.1:1/nowhere";
    let mut command = cli.command_on(url);
    command.args(["tenant", "list"]);
    let ran = Ran::of(command.output().await.unwrap());
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("tenantry_control"), "{}", ran.err);
    assert!(!ran.err.contains("very-secret"));
}

#[tokio::test]
async fn without_a_server_commands_say_how_to_get_one() {
    let directory = crate::support::directory();
    let mut command = program(directory.path());
    let ran = Ran::of(command.args(["tenant", "list"]).output().await.unwrap());
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("tenantry up"), "{}", ran.err);
}

#[tokio::test]
async fn failures_are_json_where_json_was_asked_for() {
    let cli = TestCli::new().await;
    let ran = cli.run("tenant show nobody --json").await;
    let fault: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(fault["error"], "there is no tenant nobody");
}

#[tokio::test]
async fn completions_are_for_the_shell() {
    let directory = crate::support::directory();
    for shell in ["bash", "zsh", "fish"] {
        let mut command = program(directory.path());
        let ran = Ran::of(command.args(["completions", shell]).output().await.unwrap());
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("tenantry"));
    }
}

#[tokio::test]
async fn a_schema_is_looked_into_for_a_while() {
    let cli = TestCli::new().await;
    cli.tenant("acme").await;
    let opened = cli.run("inspect acme --minutes 5 --json").await.json();
    let word = |name: &str| opened[name].as_str().unwrap();
    assert_eq!(word("mode"), "read-only");
    let login = cli.database.admin().with(word("login"), word("password"));
    let client = testkit::database::connect(&login).await.unwrap();
    let users = client.query("SELECT username FROM users", &[]).await;
    assert_eq!(users.unwrap().len(), 1);

    let text = cli.run("inspect acme --write").await.out;
    assert!(
        text.contains("read-write") && text.contains("psql -h "),
        "{text}"
    );
    let list = cli.run("inspect acme --list").await.out;
    assert!(
        list.contains(word("login")) && list.lines().count() == 3,
        "{list}"
    );
    assert!(!list.contains(word("password")));
    let events = cli.run("tenant events acme --json").await.json();
    assert_eq!(events["events"][0]["action"], "inspection.opened");
    assert_eq!(events["events"][0]["detail"]["mode"], "read-write");

    let closed = cli.run("inspect acme --close --json").await.json();
    assert_eq!(closed["closed"].as_array().unwrap().len(), 2);
    assert!(testkit::database::connect(&login).await.is_err());
    for (words, code) in [
        ("inspect nobody", 3),
        ("inspect acme --minutes 0", 2),
        ("inspect acme --minutes 1441", 2),
        ("inspect acme --minutes soon", 2),
        ("inspect acme --close --write", 2),
        ("inspect", 2),
        ("inspect No_Slug", 2),
    ] {
        assert_eq!(cli.run(words).await.code, code, "{words}");
    }
}
