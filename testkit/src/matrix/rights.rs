//! Who is refused: everybody with less than what an operation needs, and everybody of another
//! tenant.

use super::{
    operation::{Guard, Operation},
    world::{Who, World, bodies, carried},
};
use crate::{Answer, Client, app::SCOPES};

/// Checks that nobody gets through who should not.
pub(super) async fn check(world: &World<'_>, operation: &Operation, faults: &mut Vec<String>) {
    let values = world.values(operation).await;
    let body = bodies(operation).remove(0);
    let mut refused = async |what: String, client: &Client, status: u16, code: Option<&str>| {
        let answer = world.send(client, operation, body, &values, None).await;
        if let Some(got) = differs(&answer, status, code) {
            faults.push(format!("{}: {what}: {got}, not {status}", operation.name));
        }
    };
    let home = async |who: Who| world.client(&world.home, &who).await;

    refused(
        "without credentials".into(),
        &home(Who::Nobody).await,
        401,
        None,
    )
    .await;
    for (what, client) in carried(world, operation).await {
        if operation.of_tenant {
            refused(format!("another tenant's {what}"), &client, 401, None).await;
        }
    }
    if operation.guard != Guard::Operator {
        refused(
            "an operator's token".into(),
            &home(Who::Operator).await,
            401,
            None,
        )
        .await;
    }
    match &operation.guard {
        Guard::Token(scopes) => {
            for scope in scopes {
                let lesser = home(Who::Token(without(scope))).await;
                let what = format!("a token without scope {scope}");
                refused(what, &lesser, 403, Some("insufficient-scope")).await;
            }
            let session = home(Who::Session("owner".into())).await;
            refused("a session".into(), &session, 401, None).await;
        }
        Guard::Member(role, scopes) => {
            for lesser in ["user", "admin"].into_iter().take_while(|one| one != role) {
                let session = home(Who::Session(lesser.into())).await;
                refused(format!("a session of role {lesser}"), &session, 403, None).await;
            }
            for scope in scopes {
                let lesser = home(Who::Token(without(scope))).await;
                let what = format!("a token without scope {scope}");
                refused(what, &lesser, 403, Some("insufficient-scope")).await;
            }
        }
        Guard::Client => {
            let (id, _) = world.matrix.app.tenant(&world.home).client().await;
            let nobody = home(Who::Nobody).await;
            let wrong = nobody.clone().with_basic(&id, "tnt_cs_wrong");
            refused(
                "a wrong client secret".into(),
                &wrong,
                401,
                Some("invalid_client"),
            )
            .await;
            let without = nobody.with_basic(&id, "");
            refused(
                "no client secret".into(),
                &without,
                401,
                Some("invalid_client"),
            )
            .await;
        }
        Guard::Operator => {
            for who in [
                Who::Session("owner".into()),
                Who::Token(SCOPES.into()),
                Who::Machine,
            ] {
                let client = home(who.clone()).await;
                refused(format!("a tenant's {who:?}"), &client, 401, None).await;
            }
        }
        Guard::Public | Guard::Unknown => (),
    }
}

fn differs(answer: &Answer, status: u16, code: Option<&str>) -> Option<String> {
    if answer.status != status {
        return Some(answer.status.as_u16().to_string());
    }
    let got = answer.problem();
    // Both spellings: of problems, and of OAuth.
    let same = |code: &str| got.replace('_', "-") == code.replace('_', "-");
    code.filter(|code| !same(code)).map(|_| got)
}

/// Every scope but one.
fn without(scope: &str) -> String {
    let others: Vec<&str> = SCOPES.split(' ').filter(|one| *one != scope).collect();
    others.join(" ")
}
