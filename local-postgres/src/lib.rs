//! A private PostgreSQL server made from the system's binaries.
