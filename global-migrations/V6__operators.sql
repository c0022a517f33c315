-- Plans that operators edit and strangers choose from; operators' tokens that are listed and
-- revoked; a record of what is done to the platform itself; idempotency keys that cover the
-- password of the sign-up they came with.

ALTER TABLE plans
    ADD COLUMN title      text, -- for people; NULL: made from the name
    ADD COLUMN self_serve boolean NOT NULL DEFAULT true; -- whether a stranger may sign up on it

ALTER TABLE operator_tokens
    ADD COLUMN id           uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN created_by   text,        -- NULL: made before this was kept
    ADD COLUMN last_used_at timestamptz, -- to a minute
    ADD COLUMN revoked_at   timestamptz; -- expires_at is no later, for services that know no other end
CREATE UNIQUE INDEX operator_tokens_id_key ON operator_tokens (id);

-- What was done to the platform and to no tenant has none.
ALTER TABLE events ALTER COLUMN tenant_id DROP NOT NULL;

-- Of the password, as it is kept of the owner's; a key without one answers nobody.
ALTER TABLE idempotency_keys ADD COLUMN password_hash text;
