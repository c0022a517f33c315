//! What a tenant is, and the only door to its schema.
