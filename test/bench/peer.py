"""One of the engines beside which the aggregates are measured, in a process of its own (that of the virtual environment).

    peer.py clickhouse|duckdb

Reads lines of JSON from its input, {"load": table, "file": path} or {"sql": text}, and answers each with one: {"wall", "cpu",
"rows"}, or {"error"}. One thread, as the backend that it is compared with.
"""
import json
import sys
import time


class ClickHouse:
    def __init__(self):
        import chdb.session
        self.session = chdb.session.Session()
        self.version = self.run("SELECT version()")[0][0]
        self.run("SET max_threads = 1")

    def run(self, sql):
        text = str(self.session.query(sql, "TSV"))
        return [line.split("\t") for line in text.splitlines()]

    def load(self, table, path):
        columns = "user_id UInt32, ts UInt64, kind UInt8, value Float64"
        self.run(f"CREATE TABLE {table} ({columns}) ENGINE = Memory")
        self.run(f"INSERT INTO {table} SELECT * FROM file('{path}', CSV, '{columns}')")


class DuckDB:
    def __init__(self):
        import duckdb
        self.connection = duckdb.connect()
        self.version = duckdb.__version__
        self.run("SET threads = 1")

    def run(self, sql):
        return [[str(x) for x in row] for row in self.connection.execute(sql).fetchall()]

    def load(self, table, path):
        self.run(f"""CREATE TABLE {table} AS SELECT user_id, make_timestamp(ts) AS ts, kind, value FROM read_csv('{path}', header = false,
          columns = {{'user_id': 'INTEGER', 'ts': 'BIGINT', 'kind': 'INTEGER', 'value': 'DOUBLE'}})""")


def main():
    out, sys.stdout = sys.stdout, sys.stderr
    engine = {"clickhouse": ClickHouse, "duckdb": DuckDB}[sys.argv[1]]()
    print(json.dumps({"version": engine.version}), file=out, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        wall, cpu, rows = time.perf_counter(), time.process_time(), []
        try:
            if "load" in request:
                engine.load(request["load"], request["file"])
            else:
                rows = engine.run(request["sql"])
            answer = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "rows": rows}
        except Exception as e:  # whatever an engine raises is its answer
            answer = {"error": str(e)}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
