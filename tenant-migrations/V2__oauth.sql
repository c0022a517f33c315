-- The tenant's OAuth clients, and the tokens issued to them. Secrets are kept as SHA-256 digests.

CREATE TABLE clients (
    id                         text        PRIMARY KEY,
    secret_digest              bytea,      -- NULL: a public client
    name                       text        NOT NULL,
    grant_types                text[]      NOT NULL,
    redirect_uris              text[]      NOT NULL,
    scope                      text[]      NOT NULL,
    token_endpoint_auth_method text        NOT NULL,
    created_by                 uuid        REFERENCES users ON DELETE SET NULL,
    created_at                 timestamptz NOT NULL
);

CREATE TABLE tokens (
    digest     bytea       PRIMARY KEY,
    kind       text        NOT NULL CHECK (kind IN ('access', 'refresh')),
    family     uuid        NOT NULL, -- all that one authorization gave rise to
    client_id  text        NOT NULL REFERENCES clients ON DELETE CASCADE,
    user_id    uuid        REFERENCES users ON DELETE CASCADE, -- NULL: the client acts for itself
    scope      text[]      NOT NULL,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz, -- a refresh token is used once; a second use revokes its family
    revoked_at timestamptz
);
CREATE INDEX tokens_family_idx ON tokens (family);
CREATE INDEX tokens_expires_at_idx ON tokens (expires_at);
