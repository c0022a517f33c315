-- Gives the superuser the password that lies in its file:
--     docker compose exec postgres psql -U postgres -f /etc/postgresql/set-password.sql
\set password `cat /run/secrets/postgres/password`
ALTER ROLE postgres PASSWORD :'password';
