//! Ids of one tenant at another: answered as ids that are nobody's, while the same request at home
//! is answered.

use serde_json::Value;

use super::{
    makers::{Holds, Make},
    operation::{Operation, Parameter, Place},
    unused,
    world::{Values, World, bodies, names_tenant},
};
use crate::Answer;

/// Checks every id of an operation, and that those with just enough rights are answered at home.
pub(super) async fn check(world: &World<'_>, operation: &Operation, faults: &mut Vec<String>) {
    for body in bodies(operation) {
        for (parameter, holds) in operation.ids(&world.matrix.makers) {
            let held = body.and_then(|body| body.get(&parameter.name)).is_some();
            if parameter.place == Place::Body && !held {
                continue;
            }
            let case = Case {
                world,
                operation,
                body,
                parameter,
            };
            let found = match holds {
                Holds::Cursor(make) => case.cursor(make).await,
                Holds::Id(_) => case.id(parameter.place == Place::Query).await,
                Holds::Secret(_) => case.secret().await,
                Holds::Text => Ok(()),
            };
            if let Err(fault) = found {
                let Parameter { place, name } = parameter;
                faults.push(format!("{}: {name} ({place:?}): {fault}", operation.name));
            }
        }
        for who in World::entitled(operation) {
            let client = world.client(&world.home, &who).await;
            let values = world.values(operation).await;
            let answer = world.send(&client, operation, body, &values, None).await;
            if let Err(fault) = answered(&answer) {
                faults.push(format!("{}: at home, {who:?}: {fault}", operation.name));
            }
        }
    }
}

/// One parameter of an operation, under one body.
struct Case<'a> {
    world: &'a World<'a>,
    operation: &'a Operation,
    body: Option<&'a Value>,
    parameter: &'a Parameter,
}

/// What is answered to the id of home's at another tenant, to one that is nobody's, and at home.
struct Answers {
    /// `None`: the parameter itself names the tenant, or no tenant is named.
    foreign: Option<Answer>,
    unused: Answer,
    home: Answer,
}

impl Case<'_> {
    async fn answers(&self, values: &Values) -> Answers {
        let (world, operation) = (self.world, self.operation);
        let shown = Some(self.parameter);
        let mut elsewhere = values.clone();
        for (parameter, value) in &mut elsewhere {
            if names_tenant(operation, parameter) {
                value.clone_from(&world.away);
            }
        }
        let is_platforms =
            !operation.of_tenant && !values.keys().any(|one| names_tenant(operation, one));
        let foreign = if is_platforms || names_tenant(operation, self.parameter) {
            None
        } else {
            let client = world.entitled_at(&world.away, operation).await;
            Some(
                world
                    .send(&client, operation, self.body, &elsewhere, shown)
                    .await,
            )
        };
        let mut nobodys = values.clone();
        if let Some(value) = nobodys.get_mut(self.parameter) {
            *value = unused::like(value);
        }
        let client = world.entitled_at(&world.home, operation).await;
        let unused = world
            .send(&client, operation, self.body, &nobodys, shown)
            .await;
        // Last, for it may end what the id names: so it says, too, that the foreign call did not.
        let home = world
            .send(&client, operation, self.body, values, shown)
            .await;
        Answers {
            foreign,
            unused,
            home,
        }
    }

    /// 404, or an empty list for a filter, unless it is home's.
    async fn id(&self, filters: bool) -> Result<(), String> {
        let values = self.world.values(self.operation).await;
        let answers = self.answers(&values).await;
        answered(&answers.home).map_err(|fault| format!("home's own: {fault}"))?;
        if filters && answers.unused.status.is_success() {
            return told_apart(&answers);
        }
        if let Some(foreign) = &answers.foreign {
            is_404(foreign).map_err(|status| format!("another tenant's is answered {status}"))?;
        }
        is_404(&answers.unused).map_err(|status| format!("nobody's is answered {status}"))
    }

    /// Whatever an unused one is answered, and the answer at home.
    async fn secret(&self) -> Result<(), String> {
        let values = self.world.values(self.operation).await;
        let answers = self.answers(&values).await;
        answered(&answers.home).map_err(|fault| format!("home's own: {fault}"))?;
        let foreign = answers.foreign.as_ref();
        if foreign.is_some_and(|foreign| !same(foreign, &answers.unused)) {
            return Err("another tenant's is not answered as nobody's".to_owned());
        }
        Ok(())
    }

    /// Another tenant's cursor shows nothing of that tenant's; a changed one is refused.
    async fn cursor(&self, make: Make) -> Result<(), String> {
        let (world, operation) = (self.world, self.operation);
        make(world.home()).await;
        make(world.home()).await;
        let mut values = world.values(operation).await;
        let client = world.entitled_at(&world.home, operation).await;
        let limit = Parameter {
            place: Place::Query,
            name: "limit".to_owned(),
        };
        values.insert(limit.clone(), "1".to_owned());
        let first = world
            .send(&client, operation, None, &values, Some(&limit))
            .await;
        let next = first.json()["next"].as_str().map(str::to_owned);
        let next = next.ok_or("there is no second page at home to go on to")?;
        values.remove(&limit);
        values.insert(self.parameter.clone(), next);
        let answers = self.answers(&values).await;
        answered(&answers.home).map_err(|fault| format!("home's own: {fault}"))?;
        match &answers.foreign {
            Some(foreign) if foreign.status.is_success() && operation.of_tenant => {
                let text = foreign.text();
                match text.contains(&world.home) {
                    true => Err("another tenant's cursor shows what is that tenant's".to_owned()),
                    false => Ok(()),
                }
            }
            Some(foreign) if foreign.status.is_server_error() => {
                Err(format!("another tenant's is answered {}", foreign.status))
            }
            _ => Ok(()),
        }
    }
}

fn answered(answer: &Answer) -> Result<(), String> {
    let status = answer.status;
    if status.is_success() || status == 409 || status == 412 {
        Ok(())
    } else {
        Err(format!("{status} {}", answer.text()))
    }
}

fn is_404(answer: &Answer) -> Result<(), u16> {
    match answer.status.as_u16() {
        404 => Ok(()),
        other => Err(other),
    }
}

/// A filter by an id shows something at home, and elsewhere what it shows for nobody's.
fn told_apart(answers: &Answers) -> Result<(), String> {
    let foreign = answers.foreign.as_ref();
    let hidden = |one: &Answer| one.status == 404 || same(one, &answers.unused);
    if foreign.is_some_and(|foreign| !hidden(foreign)) {
        return Err("another tenant's shows something".to_owned());
    }
    if same(&answers.home, &answers.unused) {
        return Err("home's own shows no more than nobody's".to_owned());
    }
    Ok(())
}

/// Whether two answers are the same, but for the request's id.
fn same(one: &Answer, other: &Answer) -> bool {
    let body = |answer: &Answer| {
        let mut json = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
        json.as_object_mut()
            .map(|fields| fields.remove("request_id"));
        json
    };
    one.status == other.status && body(one) == body(other)
}
