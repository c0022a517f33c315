-- What each login may do. The logins themselves are made before the migrations run; see README.md.

-- Anybody's rights to make things, and the function that would let injected SQL leave its tenant.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA platform FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA platform FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
DO $$ BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO tenantry_control, tenantry_data', current_database());
    EXECUTE format('GRANT CREATE ON DATABASE %I TO tenantry_control', current_database());
END $$;

-- The control plane keeps the registry and owns the tenants' schemas.
GRANT USAGE ON SCHEMA platform TO tenantry_control;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA platform TO tenantry_control;
REVOKE INSERT, UPDATE, DELETE ON refinery_schema_history, tenant_roles FROM tenantry_control;
GRANT UPDATE (tenant_id) ON tenant_roles TO tenantry_control;

-- The data plane reads what it needs to find a tenant, and writes the tenant's own settings.
GRANT USAGE ON SCHEMA platform TO tenantry_data;
GRANT SELECT ON tenants, domains, plans TO tenantry_data;
GRANT UPDATE (name, settings) ON tenants TO tenantry_data;

-- Making and dropping roles needs more than the control plane should hold, so it asks here.
CREATE SEQUENCE tenant_role_number;

-- Makes spare tenant roles. A name carries the database's oid, since roles belong to the whole server.
CREATE FUNCTION make_tenant_roles(wanted int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
    role_name text;
BEGIN
    FOR i IN 1 .. wanted LOOP
        SELECT format('tenant_%s_%s', oid, nextval('tenant_role_number')) INTO role_name
        FROM pg_database WHERE datname = current_database();
        EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', role_name);
        IF current_setting('server_version_num')::int >= 160000 THEN
            EXECUTE format('GRANT %I TO tenantry_data WITH INHERIT FALSE, SET TRUE', role_name);
        ELSE
            EXECUTE format('GRANT %I TO tenantry_data', role_name);
        END IF;
        INSERT INTO tenant_roles (name) VALUES (role_name);
    END LOOP;
END $$;

-- Drops the role of a purged tenant. Its schema is gone by then, and its rights with it.
CREATE FUNCTION drop_tenant_role(doomed text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
    DELETE FROM tenant_roles WHERE name = doomed;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'role % is no tenant''s', doomed;
    END IF;
    EXECUTE format('DROP ROLE %I', doomed);
END $$;

REVOKE EXECUTE ON FUNCTION make_tenant_roles(int), drop_tenant_role(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_tenant_roles(int), drop_tenant_role(text) TO tenantry_control;
