-- The registry: which tenants there are, where each lives, and what it may.

CREATE TABLE plans (
    name                text    PRIMARY KEY,
    position            int     NOT NULL,
    max_users           int,    -- NULL: unlimited, here and below
    max_clients         int,
    max_notes           int,
    requests_per_second int,
    storage_bytes       bigint,
    api_calls_per_month bigint
);

INSERT INTO plans VALUES
    ('free',       1,   10,    5,   1000,  500,   104857600,   100000),
    ('basic',      2,   50,   20,  10000, 2000,  1073741824,  1000000),
    ('premium',    3,  200,  100, 100000, 5000, 10737418240, 10000000),
    ('enterprise', 4, NULL, NULL,   NULL, NULL,        NULL,     NULL);

CREATE TABLE tenants (
    id             uuid        PRIMARY KEY,
    slug           text        NOT NULL CHECK (slug ~ '^[a-z](-?[a-z0-9])+$' AND length(slug) BETWEEN 3 AND 40),
    name           text        NOT NULL,
    schema_name    text        NOT NULL,
    role_name      text        NOT NULL,
    plan           text        NOT NULL REFERENCES plans,
    status         text        NOT NULL CHECK (status IN ('provisioning', 'active', 'suspended', 'deleting', 'purged')),
    schema_version int         NOT NULL,
    settings       jsonb       NOT NULL DEFAULT '{}',
    created_at     timestamptz NOT NULL,
    delete_after   timestamptz, -- set while deleting: the tenant can be restored until then
    restored_as    text         -- set while deleting: the status that a restore gives back
);
-- A purged tenant's row stays for the record and gives its names back.
CREATE UNIQUE INDEX tenants_slug_key ON tenants (slug) WHERE status <> 'purged';
CREATE UNIQUE INDEX tenants_schema_name_key ON tenants (schema_name) WHERE status <> 'purged';
-- What anyone may list, who is behind, and what the reaper looks for: few among many.
CREATE INDEX tenants_listed_idx ON tenants (slug)
    WHERE status = 'active' AND settings @> '{"listed": true}';
CREATE INDEX tenants_schema_version_idx ON tenants (schema_version, slug) WHERE status <> 'purged';
CREATE INDEX tenants_delete_after_idx ON tenants (delete_after) WHERE status = 'deleting';

CREATE TABLE domains (
    hostname    text        PRIMARY KEY,
    tenant_id   uuid        NOT NULL REFERENCES tenants,
    created_at  timestamptz NOT NULL,
    verified_at timestamptz -- NULL: claimed, not proven, and not served
);
CREATE INDEX domains_tenant_id_idx ON domains (tenant_id);

-- Roles are made in batches ahead of the tenants that will use them: PostgreSQL throws away every
-- backend's list of memberships at each change of a role.
CREATE TABLE tenant_roles (
    name      text PRIMARY KEY,
    tenant_id uuid UNIQUE REFERENCES tenants -- NULL: spare
);
CREATE INDEX tenant_roles_spare_idx ON tenant_roles (name) WHERE tenant_id IS NULL;

CREATE TABLE idempotency_keys (
    key_digest     bytea       PRIMARY KEY,
    request_digest bytea       NOT NULL,
    response       jsonb       NOT NULL,
    created_at     timestamptz NOT NULL
);

CREATE TABLE operator_tokens (
    digest     bytea       PRIMARY KEY,
    name       text        NOT NULL,
    scopes     text[]      NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz
);

-- Who did what to which tenant.
CREATE TABLE events (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    tenant_id uuid        NOT NULL REFERENCES tenants,
    actor     text        NOT NULL,
    action    text        NOT NULL,
    detail    jsonb       NOT NULL DEFAULT '{}'
);
CREATE INDEX events_tenant_id_idx ON events (tenant_id, id);

-- Every change of the registry is told to whoever keeps it in memory. The payload is the tenant's id.
CREATE FUNCTION tell_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tenantry_tenants', coalesce(NEW.id, OLD.id)::text);
    RETURN NULL;
END $$;
CREATE TRIGGER tenants_tell AFTER UPDATE OR DELETE ON tenants FOR EACH ROW EXECUTE FUNCTION tell_tenant();

CREATE FUNCTION tell_domain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tenantry_tenants', coalesce(NEW.tenant_id, OLD.tenant_id)::text);
    RETURN NULL;
END $$;
CREATE TRIGGER domains_tell AFTER INSERT OR UPDATE OR DELETE ON domains FOR EACH ROW EXECUTE FUNCTION tell_domain();

CREATE FUNCTION tell_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tenantry_tenants', '*');
    RETURN NULL;
END $$;
CREATE TRIGGER plans_tell AFTER UPDATE ON plans FOR EACH STATEMENT EXECUTE FUNCTION tell_plan();
