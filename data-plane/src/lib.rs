//! Tenant resolution, the OAuth 2.0 server, tenant administration and resources.
