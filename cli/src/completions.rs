//! `tenantry completions`.

use clap::Args;
use clap_complete::Shell;

/// For which shell.
#[derive(Args)]
#[command(after_help = "Example: tenantry completions bash > \
                        ~/.local/share/bash-completion/completions/tenantry")]
pub(crate) struct Options {
    shell: Shell,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mut command = crate::commands::command();
    let mut text = Vec::new();
    clap_complete::generate(options.shell, &mut command, "tenantry", &mut text);
    crate::output::raw(&text)?;
    Ok(())
}
