-- What anybody may execute, and how processes notify each other of what changed.
--
-- PostgreSQL grants EXECUTE on nearly all of its functions to PUBLIC. Those that are volatile and
-- reach beyond the caller's own rows are closed by a list of what stays open: a function that a
-- later version brings is closed until somebody adds it here. bootstrap applies the list at each
-- start (close_functions), since an upgrade and a restore open functions again.

CREATE TABLE allowed_functions (
    signature text PRIMARY KEY,
    reason    text NOT NULL
);

INSERT INTO allowed_functions VALUES
    ('pg_catalog.clock_timestamp()', 'a clock'),
    ('pg_catalog.timeofday()', 'a clock'),
    ('pg_catalog.random()', 'random numbers'),
    ('pg_catalog.random(integer, integer)', 'random numbers'),
    ('pg_catalog.random(bigint, bigint)', 'random numbers'),
    ('pg_catalog.random(numeric, numeric)', 'random numbers'),
    ('pg_catalog.random_normal(double precision, double precision)', 'random numbers'),
    ('pg_catalog.gen_random_uuid()', 'random numbers'),
    ('pg_catalog.uuidv4()', 'random numbers'),
    ('pg_catalog.uuidv7()', 'random numbers'),
    ('pg_catalog.uuidv7(interval)', 'random numbers'),
    ('pg_catalog.array_sample(anyarray, integer)', 'random numbers'),
    ('pg_catalog.array_shuffle(anyarray)', 'random numbers'),
    ('pg_catalog.nextval(regclass)', 'asks for rights on the sequence; serial columns call it'),
    ('pg_catalog.currval(regclass)', 'asks for rights on the sequence'),
    ('pg_catalog.setval(regclass, bigint)', 'asks for rights on the sequence'),
    ('pg_catalog.setval(regclass, bigint, boolean)', 'asks for rights on the sequence'),
    ('pg_catalog.pg_relation_size(regclass)', 'as pg_class.relpages, which everybody reads'),
    ('pg_catalog.pg_relation_size(regclass, text)', 'as pg_class.relpages, which everybody reads'),
    ('pg_catalog.pg_table_size(regclass)', 'as pg_class.relpages, which everybody reads'),
    ('pg_catalog.pg_indexes_size(regclass)', 'as pg_class.relpages, which everybody reads'),
    ('pg_catalog.pg_total_relation_size(regclass)', 'as pg_class.relpages, which everybody reads'),
    ('pg_catalog.pg_partition_tree(regclass)', 'as pg_inherits, which everybody reads; psql calls it'),
    ('pg_catalog.pg_partition_ancestors(regclass)', 'as pg_inherits, which everybody reads; psql calls it'),
    ('pg_catalog.pg_is_in_recovery()', 'a fact about the server; pgAdmin calls it when it connects'),
    ('pg_catalog.pg_is_wal_replay_paused()', 'a fact about the server; pgAdmin calls it when it connects'),
    ('pg_catalog.pg_cancel_backend(integer)', 'ends statements of the same login alone; pgAdmin calls it'),
    ('platform.publish_revocation(text)', 'refuses everybody but a tenant''s role');

-- What PUBLIC may execute of the functions that the list is about: the volatile ones of PostgreSQL,
-- and all in this schema. Triggers' functions cannot be called.
CREATE VIEW public_functions AS
    SELECT p.oid, p.proowner AS owner,
        format('%s.%s(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes)) AS signature
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE (n.nspname = 'pg_catalog' AND p.provolatile = 'v'
            AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
        OR n.nspname = 'platform')
    AND EXISTS (
        SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner)))
        WHERE grantee = 0 AND privilege_type = 'EXECUTE'
    );

-- What has to be closed. Where the administrator is no superuser, it stays open.
CREATE VIEW open_functions AS
    SELECT oid, owner, signature FROM public_functions
    WHERE signature NOT IN (SELECT signature FROM allowed_functions);

-- As for what close_functions closes: whoever owns the database dumps it.
GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO pg_database_owner;

-- Random, since the statement NOTIFY asks for no right: whoever knows the name of a channel can make
-- every process drop what it has in memory. `former` is whether services of the version before this
-- one run, which listen and publish on channels with names that everybody knows.
CREATE TABLE channel (
    name   text    NOT NULL,
    former boolean NOT NULL
);
CREATE UNIQUE INDEX channel_is_one ON channel ((true));
INSERT INTO channel VALUES ('c' || replace(gen_random_uuid()::text, '-', ''), false);
GRANT SELECT ON channel TO tenantry_data;

-- Closes what is open, as far as the caller can. Whoever makes the database ready, or dumps it, needs
-- some of it and has it as the database's owner.
CREATE FUNCTION close_functions() RETURNS void
LANGUAGE plpgsql SET search_path = platform, pg_temp AS $$
DECLARE
    open record;
    is_former boolean := EXISTS (
        SELECT FROM pg_stat_activity WHERE application_name = 'tenantry feed'
        AND usename = 'tenantry_data' AND datname = current_database()
    );
BEGIN
    UPDATE channel SET former = is_former WHERE former <> is_former;
    FOR open IN
        SELECT oid::regprocedure AS name FROM open_functions
        WHERE pg_has_role(current_user, owner, 'USAGE')
        AND (NOT is_former OR signature <> 'pg_catalog.pg_notify(text, text)')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO pg_database_owner', open.name);
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', open.name);
    END LOOP;
END $$;

-- Opens again what close_functions has closed: before pg_upgrade to another major version, which
-- would refuse rights on a function that is not there any more. The next start closes it.
CREATE FUNCTION reopen_functions() RETURNS void
LANGUAGE plpgsql SET search_path = platform, pg_temp AS $$
DECLARE
    closed regprocedure;
BEGIN
    FOR closed IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'v'
        AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
        AND NOT EXISTS (SELECT FROM pg_init_privs WHERE objoid = pg_proc.oid AND classoid = 'pg_proc'::regclass)
        AND proacl IS NOT NULL
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM pg_database_owner', closed);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', closed);
    END LOOP;
END $$;

-- What was left open for services of the version before is closed when the last of them is gone.
CREATE FUNCTION close_former_channels() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    IF (SELECT former FROM channel) THEN
        PERFORM close_functions();
    END IF;
END $$;

-- Everybody may look up a name in this schema; what is behind it is granted one by one.
GRANT USAGE ON SCHEMA platform TO PUBLIC;

CREATE FUNCTION notify_change(payload text, former_name text) RETURNS void
LANGUAGE plpgsql SET search_path = platform, pg_temp AS $$
DECLARE
    here channel;
BEGIN
    SELECT * INTO STRICT here FROM channel;
    PERFORM pg_notify(here.name, payload);
    IF here.former THEN
        PERFORM pg_notify(former_name, payload);
    END IF;
END $$;

-- Publishes that something of a tenant is no longer valid. A transaction that publishes more than a
-- thousand revocations of a tenant publishes '*', everything of the tenant, in place of the others.
CREATE FUNCTION notify_revocation(tenant uuid, payload text) RETURNS void
LANGUAGE plpgsql SET search_path = platform, pg_temp AS $$
DECLARE
    -- Whose revocations this transaction has published, and how many.
    counted text := coalesce(current_setting('tenantry.published', true), '');
    count int := 1;
BEGIN
    IF payload IS NULL OR octet_length(payload) > 1000 THEN
        RAISE EXCEPTION 'a revocation has at most 1000 bytes' USING ERRCODE = 'string_data_right_truncation';
    END IF;
    IF starts_with(counted, tenant::text) THEN
        count := split_part(counted, ' ', 2)::int + 1;
    END IF;
    IF count > 1001 THEN
        RETURN;
    END IF;
    PERFORM set_config('tenantry.published', format('%s %s', tenant, count), true);
    IF count = 1001 THEN
        payload := '*';
    END IF;
    PERFORM notify_change(format('%s %s', tenant, payload), 'tenantry_revoked');
END $$;

-- The same, for a tenant's role, of its own tenant. The role is the one that was set: inside of this
-- function current_user is its owner.
CREATE FUNCTION publish_revocation(payload text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
    tenant uuid := (SELECT tenant_id FROM tenant_roles WHERE name = current_setting('role'));
BEGIN
    IF tenant IS NULL THEN
        RAISE EXCEPTION 'only a tenant''s role publishes' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM notify_revocation(tenant, payload);
END $$;

-- The same, for the control plane, of any tenant.
CREATE FUNCTION publish_revocation_of(tenant uuid, payload text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM notify_revocation(tenant, payload);
END $$;

-- The registry's triggers, as before: whoever changes a row can neither publish nor read the channel.
CREATE OR REPLACE FUNCTION tell_tenant() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM notify_change(coalesce(NEW.id, OLD.id)::text, 'tenantry_tenants');
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION tell_domain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM notify_change(coalesce(NEW.tenant_id, OLD.tenant_id)::text, 'tenantry_tenants');
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION tell_plan() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    PERFORM notify_change('*', 'tenantry_tenants');
    RETURN NULL;
END $$;

-- As before, and of a login for writing the values are in the server's log as well, which PostgreSQL
-- writes as an error's details.
CREATE OR REPLACE FUNCTION open_inspection(
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
            EXECUTE format('ALTER ROLE %I SET log_error_verbosity = %L', login, 'default');
        END IF;
    ELSE
        -- To end its sessions takes membership.
        EXECUTE format('GRANT %I TO %I', login, current_user);
    END IF;
    INSERT INTO inspections VALUES (login, tenant, writes, opener, now, ending);
    RETURN login;
END $$;

-- close_functions takes all of this schema from PUBLIC, but is run only after the last migration.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA platform FROM PUBLIC;
-- To everybody, since a function's list of thousands of roles would be read at each call.
GRANT EXECUTE ON FUNCTION publish_revocation(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION publish_revocation_of(uuid, text), close_former_channels() TO tenantry_control;
