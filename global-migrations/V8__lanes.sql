-- A login for each lane of the data plane's connections, and roles that are made and dropped in
-- batches. See docs/adr/0013-a-login-per-lane.md.

-- How many lanes there are. A tenant stays in the lane that its role was made for.
CREATE FUNCTION lanes() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 4';

CREATE FUNCTION lane_login(lane int) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT 'tenantry_data_' || lane $$;

-- NULL: the role was made before there were lanes, and no lane's login may become it yet.
ALTER TABLE tenant_roles ADD COLUMN lane smallint CHECK (lane >= 0);
CREATE INDEX tenant_roles_no_lane_idx ON tenant_roles (name) WHERE lane IS NULL;
GRANT SELECT (name, lane) ON tenant_roles TO tenantry_data;

DO $$ BEGIN
    FOR lane IN 0 .. lanes() - 1 LOOP
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), lane_login(lane));
        IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            -- What a connection costs is bounded by what PostgreSQL says of it.
            EXECUTE format('GRANT SELECT ON pg_catalog.pg_backend_memory_contexts TO %I', lane_login(lane));
            EXECUTE format('GRANT EXECUTE ON FUNCTION pg_catalog.pg_get_backend_memory_contexts() TO %I', lane_login(lane));
        END IF;
    END LOOP;
END $$;

-- Lets a login become a tenant's role, and no more.
CREATE FUNCTION let_become(login text, role_name text) RETURNS void
LANGUAGE plpgsql SET search_path = platform, pg_temp AS $$
BEGIN
    IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE', role_name, login);
    ELSE
        EXECUTE format('GRANT %I TO %I', role_name, login);
    END IF;
END $$;

-- Whether a data plane of the version before this one runs, which logs in as tenantry_data to serve
-- tenants.
CREATE FUNCTION has_data_plane_without_lanes() RETURNS boolean
LANGUAGE sql SET search_path = platform, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM pg_stat_activity WHERE application_name = 'tenantry data'
        AND usename = 'tenantry_data' AND datname = current_database()
    )
$$;

-- As before, each role for one of the lanes, in turn.
CREATE OR REPLACE FUNCTION make_tenant_roles(wanted int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
    oid oid := (SELECT d.oid FROM pg_database d WHERE datname = current_database());
    is_former boolean := has_data_plane_without_lanes();
    number bigint;
    role_name text;
BEGIN
    FOR i IN 1 .. wanted LOOP
        number := nextval('tenant_role_number');
        role_name := format('tenant_%s_%s', oid, number);
        EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', role_name);
        PERFORM let_become(lane_login((number % lanes())::int), role_name);
        IF is_former THEN
            PERFORM let_become('tenantry_data', role_name);
        END IF;
        INSERT INTO tenant_roles (name, lane) VALUES (role_name, number % lanes());
    END LOOP;
END $$;

-- Gives lanes to roles that have none, so many at a time. How many had none.
CREATE FUNCTION give_lanes(most int) RETURNS bigint
LANGUAGE plpgsql SET search_path = platform, pg_temp AS $$
DECLARE
    role record;
    given bigint := 0;
BEGIN
    FOR role IN
        SELECT name, split_part(name, '_', 3)::bigint % lanes() AS lane FROM tenant_roles
        WHERE lane IS NULL ORDER BY name LIMIT most FOR UPDATE
    LOOP
        PERFORM let_become(lane_login(role.lane::int), role.name);
        UPDATE tenant_roles SET lane = role.lane WHERE name = role.name;
        given := given + 1;
    END LOOP;
    RETURN given;
END $$;

-- Takes tenants' roles from the login that all of them belonged to, so many at a time, once no data
-- plane needs them there. How many it had.
CREATE FUNCTION take_from_former_login(most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
    role_name text;
    taken bigint := 0;
BEGIN
    IF has_data_plane_without_lanes() THEN
        RETURN 0;
    END IF;
    FOR role_name IN
        SELECT r.rolname FROM pg_auth_members m
        JOIN pg_roles r ON r.oid = m.roleid
        JOIN tenant_roles t ON t.name = r.rolname
        WHERE m.member = 'tenantry_data'::regrole AND t.lane IS NOT NULL
        ORDER BY r.rolname LIMIT most
    LOOP
        EXECUTE format('REVOKE %I FROM tenantry_data', role_name);
        taken := taken + 1;
    END LOOP;
    RETURN taken;
END $$;

-- Drops the roles of purged tenants, so many at a time: whatever changes a role makes every
-- connection read its login's roles again. Their schemas are gone, and their rights with them. How
-- many were dropped; one that cannot be is named in the log and tried again.
CREATE FUNCTION drop_purged_roles(most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
    doomed text;
    dropped bigint := 0;
    is_superuser boolean := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
BEGIN
    FOR doomed IN
        SELECT r.name FROM tenant_roles r JOIN tenants t ON t.id = r.tenant_id
        WHERE t.status = 'purged' ORDER BY random() LIMIT most FOR UPDATE OF r SKIP LOCKED
    LOOP
        BEGIN
            IF is_superuser THEN
                EXECUTE format('DROP OWNED BY %I', doomed);
            END IF;
            EXECUTE format('DROP ROLE %I', doomed);
            DELETE FROM tenant_roles WHERE name = doomed;
            dropped := dropped + 1;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            RAISE WARNING 'role % of a purged tenant has rights elsewhere and stays', doomed;
        END;
    END LOOP;
    RETURN dropped;
END $$;

-- The tables, views and sequences of a schema, found without reading the whole catalogue.
CREATE FUNCTION relations_of(schema text) RETURNS TABLE (name text, kind "char")
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.relname::text, c.relkind FROM pg_namespace n
    JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid
        AND d.classid = 'pg_class'::regclass AND d.deptype = 'n'
    JOIN pg_class c ON c.oid = d.objid
    WHERE n.nspname = schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
$$;

CREATE OR REPLACE FUNCTION grant_inspection(login text, schema text, writes boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    relation record;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', schema, login);
    FOR relation IN SELECT name, kind FROM platform.relations_of(schema) LOOP
        IF relation.kind = 'S' THEN
            EXECUTE format('GRANT SELECT ON SEQUENCE %I.%I TO %I', schema, relation.name, login);
            IF writes THEN
                EXECUTE format('GRANT USAGE ON SEQUENCE %I.%I TO %I', schema, relation.name, login);
            END IF;
        ELSE
            EXECUTE format('GRANT SELECT ON %I.%I TO %I', schema, relation.name, login);
            IF writes AND relation.name <> 'refinery_schema_history' THEN
                EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I.%I TO %I', schema, relation.name, login);
            END IF;
        END IF;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION revoke_inspection(login text, schema text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    relation record;
BEGIN
    FOR relation IN SELECT name, kind FROM platform.relations_of(schema) LOOP
        IF relation.kind = 'S' THEN
            EXECUTE format('REVOKE ALL ON SEQUENCE %I.%I FROM %I', schema, relation.name, login);
        ELSE
            EXECUTE format('REVOKE ALL ON %I.%I FROM %I', schema, relation.name, login);
        END IF;
    END LOOP;
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', schema, login);
END $$;

REVOKE EXECUTE ON FUNCTION
    lanes(), lane_login(int), let_become(text, text), has_data_plane_without_lanes(),
    make_tenant_roles(int), give_lanes(int), take_from_former_login(int), drop_purged_roles(int),
    relations_of(text), grant_inspection(text, text, boolean), revoke_inspection(text, text)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    make_tenant_roles(int), take_from_former_login(int), drop_purged_roles(int), relations_of(text),
    grant_inspection(text, text, boolean), revoke_inspection(text, text)
TO tenantry_control;
