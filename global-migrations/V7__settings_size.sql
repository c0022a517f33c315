-- Every request of a tenant has its settings in memory. What is there already is not looked at.
ALTER TABLE tenants ADD CONSTRAINT tenants_settings_size
    CHECK (octet_length(settings::text) <= 16384) NOT VALID;
