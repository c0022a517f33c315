//! `tenantry bench`.

use bench::{Cli, Outcome};

/// Measures this very program, unless another was named.
pub(crate) fn run(mut cli: Cli) -> anyhow::Result<()> {
    let own = std::env::current_exe()?;
    cli.options.product.get_or_insert_with(|| own.clone());
    cli.options.own = Some(vec![own.into_os_string(), "bench".into()]);
    match bench::main(cli)? {
        Outcome::Met => Ok(()),
        Outcome::Missed => anyhow::bail!("a target was missed; the table says which"),
    }
}
