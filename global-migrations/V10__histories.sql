-- Tenants whose schema has another history than the files, as far as the registry says that they have
-- come. `files` is an array of {"version": 1, "name": "identity", "checksum": "123"}. Reads a table of
-- every tenant: for a connection that is closed afterwards.
CREATE FUNCTION different_histories(files jsonb) RETURNS TABLE (slug text, difference text)
LANGUAGE plpgsql STABLE SET search_path = platform, pg_temp AS $$
DECLARE
    tenant record;
BEGIN
    FOR tenant IN
        SELECT t.slug, t.schema_name, t.schema_version FROM tenants t
        WHERE t.status NOT IN ('provisioning', 'purged') ORDER BY t.slug
    LOOP
        slug := tenant.slug;
        BEGIN
            EXECUTE format(
                $sql$
                SELECT string_agg(format('V%%s is %%s', version, CASE
                        WHEN here.name IS NULL THEN 'missing'
                        WHEN file.name IS NULL THEN 'none of the files'
                        WHEN here.name <> file.name THEN format('called %%s', here.name)
                        ELSE 'of another checksum' END), ', ' ORDER BY version)
                FROM (SELECT version, name, checksum FROM %I.refinery_schema_history) here
                FULL JOIN (
                    SELECT (f->>'version')::int AS version, f->>'name' AS name,
                        f->>'checksum' AS checksum
                    FROM jsonb_array_elements($1) f WHERE (f->>'version')::int <= $2
                ) file USING (version)
                WHERE version <= (SELECT max((f->>'version')::int) FROM jsonb_array_elements($1) f)
                AND (here.name, here.checksum) IS DISTINCT FROM (file.name, file.checksum)
                $sql$, tenant.schema_name)
            INTO difference USING files, tenant.schema_version;
        EXCEPTION WHEN undefined_table OR invalid_schema_name THEN
            difference := 'there is no history';
        END;
        IF difference IS NOT NULL THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;

REVOKE EXECUTE ON FUNCTION different_histories(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION different_histories(jsonb) TO tenantry_control;
