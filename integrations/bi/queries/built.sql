SELECT to_char(now() AT TIME ZONE 'UTC', 'FMDD Mon YYYY HH24:MI "UTC"') AS at
