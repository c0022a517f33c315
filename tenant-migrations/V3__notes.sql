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
