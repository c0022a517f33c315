-- Names that are claimed before they are proven, and names that are held after they were given up.

-- Anybody may claim a domain; one tenant proves it. Claims run out, which the control plane sees to.
ALTER TABLE domains DROP CONSTRAINT domains_pkey;
ALTER TABLE domains ADD CONSTRAINT domains_pkey PRIMARY KEY (hostname, tenant_id);
CREATE UNIQUE INDEX domains_verified_key ON domains (hostname) WHERE verified_at IS NOT NULL;
CREATE INDEX domains_claimed_idx ON domains (created_at) WHERE verified_at IS NULL;

-- Slugs that a rename gave up: a way to the tenant, and nobody else's while the row is there.
CREATE TABLE former_slugs (
    slug       text        PRIMARY KEY,
    tenant_id  uuid        NOT NULL REFERENCES tenants,
    held_until timestamptz NOT NULL
);
CREATE INDEX former_slugs_tenant_id_idx ON former_slugs (tenant_id);
CREATE INDEX former_slugs_held_until_idx ON former_slugs (held_until);
CREATE TRIGGER former_slugs_tell AFTER INSERT OR UPDATE OR DELETE ON former_slugs
    FOR EACH ROW EXECUTE FUNCTION tell_domain();

-- Whatever gives a tenant a slug comes by here, the previous version's sign-ups too. It is after the
-- row: by then a rename that was giving the slug up at the same moment has committed, and is seen.
CREATE FUNCTION refuse_held_slug() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM platform.former_slugs WHERE slug = NEW.slug AND tenant_id <> NEW.id) THEN
        RAISE unique_violation USING
            MESSAGE = 'the slug is held for the tenant that gave it up',
            CONSTRAINT = 'former_slugs_pkey';
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION refuse_held_slug() FROM PUBLIC;
CREATE TRIGGER tenants_held_slug AFTER INSERT OR UPDATE OF slug ON tenants
    FOR EACH ROW EXECUTE FUNCTION refuse_held_slug();

GRANT SELECT, INSERT, UPDATE, DELETE ON former_slugs TO tenantry_control;
GRANT SELECT (slug, tenant_id) ON former_slugs TO tenantry_data;
