// One dataset: what queries/QUERY.sql returns, as JSON. Connects as psql does (PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, PGSSLMODE).
import {readFile} from "node:fs/promises";
import {parseArgs} from "node:util";
import pg from "pg";

const {values: {query}} = parseArgs({options: {query: {type: "string"}}});
if (!/^[a-z_]+$/.test(query)) throw new Error(`no such query: ${query}`);

const INT8 = 20, NUMERIC = 1700, DATE = 1082;
pg.types.setTypeParser(INT8, Number); // counts, far below 2^53
pg.types.setTypeParser(NUMERIC, Number);
pg.types.setTypeParser(DATE, String); // not an instant

const client = new pg.Client({application_name: "pql dashboards", options: "-c default_transaction_read_only=on -c TimeZone=UTC"});
await client.connect();
const {rows} = await client.query(await readFile(`queries/${query}.sql`, "utf8"));
await client.end();
process.stdout.write(JSON.stringify(rows));
