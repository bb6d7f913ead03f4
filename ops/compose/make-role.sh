#!/bin/sh
# Run once by the image of Postgres, on an empty data folder: the role of the service, which owns nothing. `migrate` gives it its rights.
set -eu
psql --no-psqlrc --set=ON_ERROR_STOP=1 --set=password="$BURSAR_DB_PASSWORD" --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
CREATE ROLE bursar_app LOGIN PASSWORD :'password';
SQL
