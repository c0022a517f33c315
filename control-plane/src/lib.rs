//! Sign-up, registry, provisioning and the operator API.
