//! The command line: up, tenant, token, migrate, doctor.
