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

-- What every such login may besides: pgAdmin calls set_config when it connects. A login of its own
-- that is no member of anything else gains nothing by it.
DO $$ BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO tenantry_inspect', current_database());
END $$;
GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO tenantry_inspect;

-- Whoever may read could store without limit otherwise, outside of every schema and quota.
REVOKE EXECUTE ON FUNCTION
    pg_catalog.lo_create(oid), pg_catalog.lo_creat(int), pg_catalog.lo_from_bytea(oid, bytea)
FROM PUBLIC;

CREATE SEQUENCE inspection_number;

-- Makes a login for one schema; what it may do there is granted by the schema's owner. A password
-- comes as what PostgreSQL keeps of it, so that no log can hold it.
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
    SELECT format('inspect_%s_%s', oid, nextval('inspection_number')) INTO login
    FROM pg_database WHERE datname = current_database();
    EXECUTE format(
        'CREATE ROLE %I LOGIN CONNECTION LIMIT 10 PASSWORD %L VALID UNTIL %L IN ROLE tenantry_inspect',
        login, verifier, ending
    );
    EXECUTE format('ALTER ROLE %I SET search_path = %I', login, schema);
    EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', login, '5min');
    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', login, '5min');
    IF NOT writes THEN
        -- A help for whoever clicks; that nothing can be written is a matter of rights.
        EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', login);
    END IF;
    IF is_superuser AND writes THEN
        -- What is written is in the server's log, and the login cannot turn that off.
        EXECUTE format('ALTER ROLE %I SET log_statement = %L', login, 'mod');
    ELSIF NOT is_superuser THEN
        -- To end its sessions takes membership.
        EXECUTE format('GRANT %I TO %I', login, current_user);
    END IF;
    INSERT INTO inspections VALUES (login, tenant, writes, opener, now, ending);
    RETURN login;
END $$;

-- No session begins any more under a login. To be committed before it is closed: what is under way
-- would slip through.
CREATE FUNCTION bar_inspection(doomed text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM FROM inspections WHERE login = doomed;
    IF FOUND THEN
        EXECUTE format('ALTER ROLE %I NOLOGIN', doomed);
    END IF;
END $$;

-- Ends a login's sessions and drops it, with what it has settled for itself; its grants have to be
-- revoked before. Whether it was still there.
CREATE FUNCTION close_inspection(doomed text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    DELETE FROM inspections WHERE login = doomed;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = doomed;
    EXECUTE format('DROP OWNED BY %I', doomed);
    EXECUTE format('DROP ROLE %I', doomed);
    RETURN true;
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
    bar_inspection(text), close_inspection(text),
    grant_inspection(text, text, boolean), revoke_inspection(text, text)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    open_inspection(uuid, text, text, boolean, text, timestamptz, timestamptz),
    bar_inspection(text), close_inspection(text),
    grant_inspection(text, text, boolean), revoke_inspection(text, text)
TO tenantry_control;
