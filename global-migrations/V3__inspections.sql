-- Logins that are opened for a while, each for the schema of one tenant: for people with psql or
-- pgAdmin. Who opened and closed one is in events; a row is here for as long as its login is.

CREATE TABLE inspections (
    login      text        PRIMARY KEY,
    tenant_id  uuid        NOT NULL REFERENCES tenants,
    writes     boolean     NOT NULL,
    opened_by  text        NOT NULL,
    opened_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX inspections_tenant_id_idx ON inspections (tenant_id);
GRANT SELECT ON inspections TO tenantry_control;

-- Functions that anybody may call otherwise. With large objects whoever may read stores without
-- limit, outside of every schema and quota; with advisory locks, which outlive a statement that
-- failed, one session fills the lock table, and then nobody can even log in.
REVOKE EXECUTE ON FUNCTION
    pg_catalog.lo_create(oid), pg_catalog.lo_creat(int), pg_catalog.lo_from_bytea(oid, bytea)
FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION
    pg_catalog.pg_advisory_lock(bigint), pg_catalog.pg_advisory_lock(int, int),
    pg_catalog.pg_advisory_lock_shared(bigint), pg_catalog.pg_advisory_lock_shared(int, int),
    pg_catalog.pg_advisory_xact_lock(bigint), pg_catalog.pg_advisory_xact_lock(int, int),
    pg_catalog.pg_advisory_xact_lock_shared(bigint), pg_catalog.pg_advisory_xact_lock_shared(int, int),
    pg_catalog.pg_try_advisory_lock(bigint), pg_catalog.pg_try_advisory_lock(int, int),
    pg_catalog.pg_try_advisory_lock_shared(bigint), pg_catalog.pg_try_advisory_lock_shared(int, int),
    pg_catalog.pg_try_advisory_xact_lock(bigint), pg_catalog.pg_try_advisory_xact_lock(int, int),
    pg_catalog.pg_try_advisory_xact_lock_shared(bigint),
    pg_catalog.pg_try_advisory_xact_lock_shared(int, int)
FROM PUBLIC;
-- Whoever makes the database ready takes one.
GRANT EXECUTE ON FUNCTION pg_catalog.pg_advisory_lock(bigint) TO pg_database_owner;

CREATE SEQUENCE inspection_number;

-- Makes a login for one schema; what it may do there is granted by the schema's owner. A password
-- comes as what PostgreSQL keeps of it, so that no log can hold it. The login is nobody's member: a
-- group's members could settle things in the group's name, for each other.
CREATE FUNCTION open_inspection(
    tenant uuid, schema text, verifier text, writes boolean, opener text, now timestamptz, ending timestamptz
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
    login text;
    is_superuser boolean := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
BEGIN
    IF verifier NOT LIKE 'SCRAM-SHA-256$%' THEN
        RAISE EXCEPTION 'the password is not a SCRAM verifier';
    END IF;
    -- One at a time: the database's list of who may connect is one row.
    LOCK TABLE inspections IN SHARE ROW EXCLUSIVE MODE;
    SELECT format('inspect_%s_%s', oid, nextval('inspection_number')) INTO login
    FROM pg_database WHERE datname = current_database();
    EXECUTE format(
        'CREATE ROLE %I LOGIN CONNECTION LIMIT 10 PASSWORD %L VALID UNTIL %L',
        login, verifier, ending
    );
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), login);
    -- pgAdmin calls it when it connects. A login of its own has nobody to become by it.
    EXECUTE format('GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO %I', login);
    EXECUTE format('ALTER ROLE %I SET search_path = %I', login, schema);
    EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', login, '5min');
    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', login, '5min');
    IF NOT writes THEN
        -- A help for whoever clicks; that nothing can be written is a matter of rights.
        EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', login);
    END IF;
    IF is_superuser THEN
        EXECUTE format('ALTER ROLE %I SET temp_file_limit = %L', login, '1GB');
        IF writes THEN
            -- What is written is in the server's log, and the login cannot turn that off. All, for
            -- a query may write as well (WITH, COPY).
            EXECUTE format('ALTER ROLE %I SET log_statement = %L', login, 'all');
        END IF;
    ELSE
        -- To end its sessions takes membership.
        EXECUTE format('GRANT %I TO %I', login, current_user);
    END IF;
    INSERT INTO inspections VALUES (login, tenant, writes, opener, now, ending);
    RETURN login;
END $$;

-- The logins of a tenant find its tables under a schema's new name without being told.
CREATE FUNCTION follow_inspections(tenant uuid, schema text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
    open_login text;
BEGIN
    FOR open_login IN SELECT login FROM inspections WHERE tenant_id = tenant FOR UPDATE LOOP
        EXECUTE format('ALTER ROLE %I SET search_path = %I', open_login, schema);
    END LOOP;
END $$;

-- No session begins any more under a login. To be committed before its sessions are ended: one that
-- is about to begin would slip through.
CREATE FUNCTION bar_inspection(doomed text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    -- Locked, since of two that change one role at once PostgreSQL refuses the second.
    PERFORM FROM inspections WHERE login = doomed FOR UPDATE;
    IF FOUND THEN
        EXECUTE format('ALTER ROLE %I NOLOGIN', doomed);
    END IF;
END $$;

-- Ends the sessions of a login, or of every login whose transaction is older than a time: it holds
-- locks, and keeps what was deleted. How many were ended.
CREATE FUNCTION end_inspection_sessions(doomed text, older_than interval) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE usename IN (SELECT login FROM inspections)
    AND (usename = doomed OR xact_start < clock_timestamp() - older_than)
$$;

-- Drops a login with what it has settled for itself; its sessions are ended and its grants revoked
-- before. Whether it was still there.
CREATE FUNCTION close_inspection(doomed text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    LOCK TABLE inspections IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM inspections WHERE login = doomed;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM %I', current_database(), doomed);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM %I', doomed);
    EXECUTE format('DROP OWNED BY %I', doomed);
    EXECUTE format('DROP ROLE %I', doomed);
    RETURN true;
END $$;

-- As before, and whatever logins have settled in the role's favour goes with it.
CREATE OR REPLACE FUNCTION drop_tenant_role(doomed text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    DELETE FROM tenant_roles WHERE name = doomed;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'role % is no tenant''s', doomed;
    END IF;
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('DROP OWNED BY %I', doomed);
    END IF;
    EXECUTE format('DROP ROLE %I', doomed);
END $$;

-- These two run as the owner of the tenants' schemas: an administrator who is no superuser can
-- neither grant nor revoke there.
CREATE FUNCTION grant_inspection(login text, schema text, writes boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', schema, login);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', schema, login);
    EXECUTE format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO %I', schema, login);
    IF writes THEN
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', schema, login);
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %I.refinery_schema_history FROM %I', schema, login);
        EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO %I', schema, login);
    END IF;
END $$;

CREATE FUNCTION revoke_inspection(login text, schema text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM %I', schema, login);
    EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM %I', schema, login);
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', schema, login);
END $$;

REVOKE EXECUTE ON FUNCTION
    open_inspection(uuid, text, text, boolean, text, timestamptz, timestamptz),
    follow_inspections(uuid, text),
    bar_inspection(text), end_inspection_sessions(text, interval), close_inspection(text),
    grant_inspection(text, text, boolean), revoke_inspection(text, text)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    open_inspection(uuid, text, text, boolean, text, timestamptz, timestamptz),
    follow_inspections(uuid, text),
    bar_inspection(text), end_inspection_sessions(text, interval), close_inspection(text),
    grant_inspection(text, text, boolean), revoke_inspection(text, text)
TO tenantry_control;
