-- Run by the image at the server's first start. Airflow and the warehouse each have a database and a role of their own, so
-- that neither can do anything in the other's.
\getenv metadata METADATA_PASSWORD
\getenv warehouse WAREHOUSE_PASSWORD
CREATE ROLE airflow LOGIN PASSWORD :'metadata';
CREATE ROLE jejak LOGIN PASSWORD :'warehouse';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE jejak OWNER jejak;
REVOKE CONNECT ON DATABASE airflow FROM PUBLIC;
-- Logins of analysts join the first, logins that run a night the second. `jejak migrate` grants what they may do, but the
-- warehouse's role can't make roles.
CREATE ROLE jejak_analyst NOLOGIN;
CREATE ROLE jejak_etl NOLOGIN;
-- The superuser is reached from inside the container alone. To be left out on a server of your own.
ALTER ROLE postgres PASSWORD NULL;
