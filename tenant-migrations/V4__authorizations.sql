-- What a client was allowed once: every token refers to it, so that revoking it ends whatever came
-- of it, also what is being issued at that moment.

-- Rises when a password is set, or a user is deactivated or given a lower role. Sessions and
-- authorizations count only under the version that they were made under.
ALTER TABLE users ADD COLUMN credentials_version int NOT NULL DEFAULT 1;

ALTER TABLE sessions
    ADD COLUMN id                  uuid        NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN credentials_version int         NOT NULL DEFAULT 1,
    ADD COLUMN auth_time           timestamptz, -- NULL: created_at
    ADD COLUMN amr                 text[]      NOT NULL DEFAULT '{pwd}', -- RFC 8176
    ADD COLUMN user_agent          text,
    ADD COLUMN address             text,
    ADD COLUMN last_used_at        timestamptz;

CREATE TABLE authorizations (
    id                  uuid        PRIMARY KEY,
    client_id           text        NOT NULL REFERENCES clients ON DELETE CASCADE,
    user_id             uuid        REFERENCES users ON DELETE CASCADE, -- NULL: the client acts for itself
    credentials_version int,        -- the user's at the time; NULL without a user
    session_id          uuid,       -- the session in which the user consented
    scope               text[]      NOT NULL,
    auth_time           timestamptz,
    amr                 text[]      NOT NULL DEFAULT '{}',
    dpop_jkt            text,       -- RFC 9449: the thumbprint of the key that its tokens are bound to
    created_at          timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL, -- of the last of its tokens
    revoked_at          timestamptz
);

INSERT INTO authorizations
    (id, client_id, user_id, credentials_version, scope, created_at, expires_at, revoked_at)
SELECT DISTINCT ON (family) family, client_id, user_id, CASE WHEN user_id IS NULL THEN NULL ELSE 1 END,
    scope, min(issued_at) OVER one, max(expires_at) OVER one,
    CASE WHEN bool_and(revoked_at IS NOT NULL) OVER one THEN max(revoked_at) OVER one END
FROM tokens WINDOW one AS (PARTITION BY family)
ORDER BY family, kind DESC;

-- NULL: issued by the previous version after this migration; it does not count.
ALTER TABLE tokens ADD COLUMN authorization_id uuid REFERENCES authorizations ON DELETE CASCADE;
UPDATE tokens SET authorization_id = family;
DROP INDEX tokens_family_idx;
CREATE INDEX tokens_authorization_id_idx ON tokens (authorization_id);

-- Not a count: whoever adds a user locks this row while they count.
INSERT INTO usage VALUES ('users', 0);
