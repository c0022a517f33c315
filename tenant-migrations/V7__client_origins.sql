-- The web origins whose pages may call on behalf of a client. NULL: those of its redirect URIs.

ALTER TABLE clients ADD COLUMN allowed_origins text[];
