-- The model resource: copy it for your own.

CREATE TABLE notes (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author_id  uuid        REFERENCES users ON DELETE SET NULL, -- NULL: a client wrote it for itself
    title      text        NOT NULL,
    body       text        NOT NULL,
    version    bigint      NOT NULL DEFAULT 1, -- the ETag
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- How much of a quota is used, kept as it changes: to count the notes would cost each new note
-- more than the last.
CREATE TABLE usage (
    resource text   PRIMARY KEY,
    used     bigint NOT NULL CHECK (used >= 0)
);
INSERT INTO usage VALUES ('notes', 0);
