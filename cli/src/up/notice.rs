//! The one block that says where to go.

use serde_json::json;

use super::Options;
use crate::{database::DATABASE, output::Output};

pub(super) fn show(options: &Options, output: Output) -> anyhow::Result<()> {
    let (api, pages) = (options.addresses.api(), options.addresses.pages());
    let psql = psql(options);
    let docs = format!("{api}docs");
    let directory = options.source.tenantry_dir.display().to_string();
    let body = json!({
        "pages": pages.as_str(), "api": api.as_str(), "docs": docs, "psql": psql,
        "directory": directory,
    });
    output.result(&body, || {
        let mut lines = vec![
            ("Pages", format!("{pages}  (sign a tenant up here)")),
            ("API", api.to_string()),
            ("Docs", docs),
        ];
        lines.extend(psql.map(|psql| ("Database", psql)));
        lines.push(("Kept in", directory));
        lines.push(("Stop", "Ctrl-C".to_owned()));
        let lines: Vec<String> = lines
            .iter()
            .map(|(what, where_to)| format!("  {what:<9} {where_to}"))
            .collect();
        format!("\nTenantry is up.\n\n{}\n", lines.join("\n"))
    })
}

/// How to look into the private server; the password stays where it is kept.
fn psql(options: &Options) -> Option<String> {
    let source = &options.source;
    let secret = source.tenantry_dir.join("secrets/superuser-password");
    let private = source.database_url.is_none();
    private.then(|| {
        let port = options.local.postgres_port;
        format!(
            "PGPASSWORD=\"$(cat {})\" psql -h 127.0.0.1 -p {port} -U postgres {DATABASE}",
            secret.display()
        )
    })
}
