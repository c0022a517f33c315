//! Exit codes, by what went wrong. They are listed in `--help`.

use std::process::ExitCode;

/// What the caller got wrong, in the words of the command line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const NOT_FOUND: u8 = 3;
const CONFLICT: u8 = 4;

/// The exit code of a failure.
pub(crate) fn code(fault: &anyhow::Error) -> ExitCode {
    ExitCode::from(number(fault))
}

fn number(fault: &anyhow::Error) -> u8 {
    if fault.downcast_ref::<Usage>().is_some() {
        return USAGE;
    }
    use control_plane::Error;
    match fault.downcast_ref::<Error>() {
        Some(
            Error::NoTenant(_)
            | Error::Renamed { .. }
            | Error::NoDomain(_)
            | Error::NoUser(_)
            | Error::NoInspection(_)
            | Error::NoToken(_),
        ) => NOT_FOUND,
        Some(
            Error::Taken { .. }
            | Error::WrongStatus(_)
            | Error::Quota { .. }
            | Error::Claims { .. }
            | Error::PlanInUse { .. },
        ) => CONFLICT,
        Some(Error::NoPlan(_)) => USAGE,
        Some(Error::Response(problem)) if problem.kind() == service::Kind::ValidationFailed => {
            USAGE
        }
        _ => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_context() {
        let gone = anyhow::Error::new(control_plane::Error::NoTenant("acme".to_owned()));
        assert_eq!(number(&gone.context("showing")), NOT_FOUND);
        assert_eq!(number(&Usage("no".to_owned()).into()), USAGE);
        assert_eq!(number(&anyhow::Error::msg("no")), FAILED);
    }
}
