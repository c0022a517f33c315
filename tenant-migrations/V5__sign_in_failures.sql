-- How often somebody failed to sign in, so that guessing takes longer and longer, and which devices
-- have signed in before, which guessing by others must not lock out.
--
-- Columns of fixed width only: text or bytea would cost each sign-up a TOAST table and its index.

CREATE TABLE sign_in_failures (
    key           uuid        PRIMARY KEY, -- half of a digest: of an account, or of a bucket of names or networks
    failures      int         NOT NULL,
    budget        int         NOT NULL,    -- as many cost no delay
    blocked_until timestamptz,             -- NULL: it is not
    expires_at    timestamptz NOT NULL     -- then they are forgotten
);

CREATE TABLE known_devices (
    user_id      uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    digest       uuid        NOT NULL, -- half of the digest of the device's cookie
    failures     int         NOT NULL DEFAULT 0, -- since it last signed in
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, digest)
);
