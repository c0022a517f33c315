-- Notices of what changed are published through functions. Everybody may look up a name in this
-- schema; what is behind it is granted one by one.

GRANT USAGE ON SCHEMA platform TO PUBLIC;

-- Publishes that something of a tenant is no longer valid.
CREATE FUNCTION notify_revocation(tenant uuid, payload text) RETURNS void
LANGUAGE plpgsql SET search_path = platform, pg_temp AS $$
BEGIN
    IF payload IS NULL OR octet_length(payload) > 1000 THEN
        RAISE EXCEPTION 'a revocation has at most 1000 bytes' USING ERRCODE = 'string_data_right_truncation';
    END IF;
    PERFORM pg_notify('tenantry_revoked', format('%s %s', tenant, payload));
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

REVOKE EXECUTE ON FUNCTION
    notify_revocation(uuid, text), publish_revocation(text), publish_revocation_of(uuid, text)
FROM PUBLIC;
-- To everybody, since a function's list of thousands of roles would be read at each call.
GRANT EXECUTE ON FUNCTION publish_revocation(text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION publish_revocation_of(uuid, text) TO tenantry_control;
