-- A token goes with its authorization, and an authorization with its client and its user: to ask for
-- these again at every token that is issued, and to look for their tokens when they go, is work done
-- twice.
ALTER TABLE tokens
    DROP CONSTRAINT tokens_client_id_fkey,
    DROP CONSTRAINT tokens_user_id_fkey;
