//! What everybody may execute: the list is in the migration `functions`. An administrator who is no
//! superuser cannot take PostgreSQL's own functions from PUBLIC; what stays open then is named here.

use tokio_postgres::Client;

/// How many functions a line names before it says how many more there are.
const NAMED: usize = 4;

/// What functions allow to whoever may execute them, by the beginning of their names.
const DANGERS: [(&str, &str); 5] = [
    (
        "set_config",
        "SQL injected into a statement could leave its tenant",
    ),
    (
        "pg_notify",
        "one session could fill the queue in which services notify each other",
    ),
    (
        "pg_advisory_",
        "one session could fill the lock table and keep everybody out",
    ),
    (
        "pg_try_advisory_",
        "one session could fill the lock table and keep everybody out",
    ),
    ("lo", "one session could store without limit"),
];
const OTHER_DANGER: &str = "they reach beyond the caller's own rows";

/// Functions that everybody may execute and nobody should.
#[derive(Debug, thiserror::Error)]
#[error(
    "everybody may execute {functions}: {danger}; as a superuser: SELECT platform.close_functions()"
)]
pub struct Gap {
    functions: String,
    danger: &'static str,
}

/// Closes what the administrator can close.
pub(super) async fn close(client: &Client) -> Result<(), tokio_postgres::Error> {
    client
        .batch_execute("SELECT platform.close_functions()")
        .await
}

/// What is open, by what it allows.
///
/// # Errors
/// Those of the database, or when the global migrations have not run.
pub async fn gaps(client: &Client) -> Result<Vec<Gap>, tokio_postgres::Error> {
    const OPEN: &str = "SELECT signature FROM platform.open_functions ORDER BY signature";
    let mut by_danger: Vec<(&'static str, Vec<String>)> = Vec::new();
    for row in client.query(OPEN, &[]).await? {
        let signature: String = row.try_get(0)?;
        let danger = danger(&signature);
        match by_danger.iter_mut().find(|(known, _)| *known == danger) {
            Some((_, functions)) => functions.push(signature),
            None => by_danger.push((danger, vec![signature])),
        }
    }
    let gaps = by_danger.into_iter().map(|(danger, functions)| Gap {
        functions: named(&functions),
        danger,
    });
    Ok(gaps.collect())
}

fn danger(signature: &str) -> &'static str {
    let name = signature.strip_prefix("pg_catalog.").unwrap_or(signature);
    let known = DANGERS
        .iter()
        .find(|(beginning, _)| name.starts_with(beginning));
    known.map_or(OTHER_DANGER, |(_, danger)| danger)
}

fn named(functions: &[String]) -> String {
    let shown = functions.iter().take(NAMED).cloned().collect::<Vec<_>>();
    match functions.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!(
            "{} and {more} more (platform.open_functions lists them)",
            shown.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_named_and_the_rest_counted() {
        let functions: Vec<String> = ('a'..='f').map(|name| format!("{name}()")).collect();
        assert_eq!(named(&functions[..2]), "a(), b()");
        let rest = "a(), b(), c(), d() and 2 more (platform.open_functions lists them)";
        assert_eq!(named(&functions), rest);
    }
}
