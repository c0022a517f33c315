-- The planes' statements rely on READ COMMITTED: a statement that has waited for a row sees what it
-- has become. A server, a database or a managed service may have another default.
DO $$ BEGIN
    ALTER ROLE tenantry_control SET default_transaction_isolation TO 'read committed';
    ALTER ROLE tenantry_data SET default_transaction_isolation TO 'read committed';
    FOR lane IN 0 .. lanes() - 1 LOOP
        EXECUTE format('ALTER ROLE %I SET default_transaction_isolation TO %L', lane_login(lane), 'read committed');
    END LOOP;
END $$;
