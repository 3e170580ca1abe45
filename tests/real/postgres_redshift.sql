-- The users, groups and databases that the Redshift tests meet. Each user's password is its name
-- after the `u_`, with `pw-` before it.

CREATE ROLE u_scram LOGIN PASSWORD 'pw-scram';
SET password_encryption = md5;
CREATE ROLE u_md5 LOGIN PASSWORD 'pw-md5';
RESET password_encryption;
CREATE ROLE u_clear LOGIN PASSWORD 'pw-clear';
CREATE ROLE u_nologin NOLOGIN PASSWORD 'pw-nologin';
CREATE ROLE u_limited LOGIN PASSWORD 'pw-limited' CONNECTION LIMIT 0;
CREATE ROLE u_expired LOGIN PASSWORD 'pw-expired' VALID UNTIL '2001-01-01';
CREATE ROLE u_rejected LOGIN PASSWORD 'pw-rejected';
CREATE ROLE u_retry LOGIN PASSWORD 'pw-retry';
CREATE ROLE "U Ünïcode ""quoted""" LOGIN PASSWORD 'pw-unicode';

-- What AWS calls the user `immuta`, and one of a test of its own.
CREATE ROLE "IAM:immuta" LOGIN PASSWORD 'pw-iam';
CREATE ROLE "IAM:kept" LOGIN PASSWORD 'pw-kept-1';

CREATE GROUP immuta_impersonation;
CREATE GROUP "x'; drop table role_rows; --";
CREATE GROUP "o""clock";
CREATE GROUP "größe";

CREATE DATABASE immuta;
CREATE DATABASE dev;
CREATE DATABASE closed ALLOW_CONNECTIONS false;
CREATE DATABASE walled;
REVOKE CONNECT ON DATABASE walled FROM PUBLIC;

-- `no_view` has no svv_roles, `no_grant` one that may not be read, `slow` one that never answers.
CREATE DATABASE no_view;
CREATE DATABASE no_grant;
CREATE DATABASE slow;
\c no_view
DROP VIEW svv_roles;
\c no_grant
REVOKE SELECT ON svv_roles FROM PUBLIC;
\c slow
CREATE OR REPLACE VIEW svv_roles AS SELECT r.* FROM role_rows r, pg_sleep(600);
\c immuta
INSERT INTO role_rows VALUES (1, 'as_role', 'master', NULL);
