"""PostgreSQL with pql, and its peers: each loads the tables of data.py and answers queries with lines "key <tab> answer"."""
import os
import re
import subprocess

import data


class Failed(Exception):
    """What an engine says when a query fails."""


def answers(lines):
    """Key -> answer. What has no rows to speak of is null here and missing there."""
    pairs = (line.partition("\t") for line in lines)
    return {key: answer for key, _, answer in pairs if answer != "\\N"}


class Pql:
    """PostgreSQL, through psql, in a database that is made and dropped. PGHOST and so on say where."""

    name = "pql"

    def __init__(self, definitions):
        self.database = f"peers_{os.getpid()}"
        self.definitions = definitions
        self._psql("DROP DATABASE IF EXISTS {0}".format(self.database), database="postgres")
        self._psql(f"CREATE DATABASE {self.database}", database="postgres")
        self._psql("CREATE EXTENSION pql SCHEMA public")

    def _psql(self, sql, database=None):
        options = "-c client_min_messages=warning -c search_path=peers,pql -c TimeZone=UTC -c jit=off -c work_mem=256MB"
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database or self.database, "-f", "-"], text=True,
                              input=sql, capture_output=True, env={**os.environ, "PGOPTIONS": options, "PGCLIENTENCODING": "UTF8"})
        if done.returncode:
            raise Failed(done.stderr.strip() or f"psql ended with {done.returncode}")
        return done.stdout

    def load(self, files):
        sql = ["DROP SCHEMA IF EXISTS peers CASCADE; CREATE SCHEMA peers;"]
        for table, columns in data.TABLES.items():
            sql += [f"CREATE TEMP TABLE read_{table} ({columns});", f"\\copy read_{table} FROM '{files[table]}'",
                    f"CREATE UNLOGGED TABLE {table} AS SELECT *, timestamptz '{data.START}' + t * interval '1 microsecond' AS ts"
                    f" FROM read_{table};"]
        self._psql("\n".join(sql) + "\nANALYZE;" + self.definitions + "\nANALYZE;")

    def ask(self, query):
        return answers(self._psql(f"COPY ({query}) TO STDOUT").splitlines())

    def aggregates(self):
        return self._psql("SELECT DISTINCT proname FROM pg_proc WHERE prokind = 'a' AND pronamespace = 'pql'::regnamespace").split()

    def close(self):
        self._psql(f"DROP DATABASE IF EXISTS {self.database}", database="postgres")


class ClickHouse:
    """chdb: ClickHouse within this process."""

    name = "clickhouse"

    def __init__(self, definitions):
        from chdb import session
        self.session = session.Session()
        self.definitions = definitions
        self.version = self._run("SELECT version()").strip()

    def _run(self, sql):
        try:
            return self.session.query(sql, "TSVRaw").bytes().decode()
        except Exception as e:  # whatever chdb raises
            raise Failed(str(e)) from None

    def load(self, files):
        types = {"int": "Int64", "bigint": "Int64", "boolean": "UInt8", "float8": "Float64", "text": "String"}
        self._run("SET max_threads = 2, allow_experimental_funnel_functions = 1")
        for table, columns in data.TABLES.items():
            fields = [c.split() for c in columns.split(", ")]
            shape = ", ".join(f"{c} Nullable({types[t]})" for c, t in fields)
            known = ", ".join(f"toUInt64(assumeNotNull({c})) AS {c}" if c == "t" else f"ifNull({c}, 0) AS {c}" if t == "boolean"
                              else c if table == "visit" and c in ("v", "k", "n") else f"assumeNotNull({c}) AS {c}" for c, t in fields)
            self._run(f"DROP TABLE IF EXISTS {table}_read")
            self._run(f"DROP TABLE IF EXISTS {table}")
            self._run(f"CREATE TABLE {table}_read ENGINE = Memory AS SELECT * FROM file('{files[table]}', 'TSV', '{shape}')")
            self._run(f"CREATE TABLE {table} ENGINE = Memory AS SELECT {known}, intDiv(t, 1000) AS ms FROM {table}_read AS f"
                      " WHERE f.t IS NOT NULL")
        for statement in filter(str.strip, self.definitions.split(";")):
            self._run(statement)

    def ask(self, query):
        return answers(self._run(query).splitlines())

    def close(self):
        self.session.close()


class DuckDB:
    name = "duckdb"

    def __init__(self, definitions):
        import duckdb
        self.error = duckdb.Error
        self.connection = duckdb.connect()
        self.definitions = definitions
        self.version = self.connection.execute("SELECT version()").fetchone()[0].lstrip("v")

    def _run(self, sql):
        try:
            return self.connection.execute(sql)
        except self.error as e:
            raise Failed(str(e)) from None

    def load(self, files):
        self._run("SET threads = 2")
        for table, columns in data.TABLES.items():
            fields = [c.split() for c in columns.split(", ")]
            shape = ", ".join(f"'{c}': '{'integer' if t == 'boolean' else re.sub('float8', 'double', t)}'" for c, t in fields)
            known = ", ".join(f"coalesce({c}, 0) = 1 AS {c}" if t == "boolean" else c for c, t in fields)
            self._run(f"CREATE OR REPLACE TABLE {table} AS SELECT {known} FROM read_csv('{files[table]}', delim = '\t', quote = '',"
                      f" escape = '', header = false, nullstr = '\\N', columns = {{{shape}}}) WHERE t IS NOT NULL")
        self._run(self.definitions)

    def ask(self, query):
        return {str(key): str(answer) for key, answer in self._run(query).fetchall() if answer is not None}

    def close(self):
        self.connection.close()


PEERS = {"clickhouse": (ClickHouse, "chdb-core"), "duckdb": (DuckDB, "duckdb")}
