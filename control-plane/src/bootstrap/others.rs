//! A database that others use as well: refused unless it is to be shared, and then its other roles
//! keep the rights that everybody had.
//!
//! Tenants' roles are kept apart by what PUBLIC may not do: connect to the database, use the schema
//! `public`, write a procedure, execute what reaches beyond one's own rows. Whoever lived by PUBLIC's
//! rights until now gets them by name.

use tokio_postgres::Client;

use super::Error;

/// A table of somebody's, where the product has not been yet.
const FIND: &str = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname <> 'information_schema' \
    AND n.nspname !~ '^pg_' AND to_regnamespace('platform') IS NULL \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid \
        AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'e') \
    ORDER BY 1 LIMIT 1";

const ROLES: &str = "SELECT rolname::text FROM pg_catalog.pg_roles \
    WHERE NOT rolsuper AND rolname !~ '^(pg_|tenantry_|tenant_[0-9]|inspect_[0-9])' \
    AND has_database_privilege(oid, current_database(), 'CONNECT')";

const GRANTS: &str = "SELECT format(what, role) FROM unnest($1::text[]) AS role, \
    (VALUES (format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %%I', current_database())), \
        ('GRANT USAGE ON SCHEMA public TO %I'), ('GRANT USAGE ON LANGUAGE plpgsql TO %I'), \
        ('GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO %I') \
    UNION ALL SELECT format('GRANT EXECUTE ON FUNCTION %s TO %%I', oid::regprocedure) \
        FROM platform.open_functions) AS grants(what)";

/// The roles that used a database before the product.
pub(super) struct Others(Vec<String>);

impl Others {
    /// Finds them; none on a database that was made ready before, or that nobody uses.
    ///
    /// # Errors
    /// [`Error::OthersTables`] unless the database is to be shared.
    pub(super) async fn find(client: &Client, share: bool) -> Result<Self, Error> {
        let Some(found) = client.query_opt(FIND, &[]).await? else {
            return Ok(Self(Vec::new()));
        };
        if !share {
            return Err(Error::OthersTables(found.try_get(0)?));
        }
        let rows = client.query(ROLES, &[]).await?;
        let roles = rows.iter().map(|row| row.try_get(0));
        Ok(Self(roles.collect::<Result<_, _>>()?))
    }

    /// Gives them by name what PUBLIC has lost, and is about to lose.
    pub(super) async fn keep_rights(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        for row in client.query(GRANTS, &[&self.0]).await? {
            client.batch_execute(row.try_get(0)?).await?;
        }
        Ok(())
    }
}
