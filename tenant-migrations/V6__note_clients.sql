-- The client that wrote a note for itself; NULL where a user wrote it. It stays when the client is
-- removed: ids of clients are never given twice.
ALTER TABLE notes ADD COLUMN client_id text;
