/**
 * Runs the SQL that the program gives to Postgres in a Postgres with pgvector, which is compiled to WebAssembly and needs only Node. An
 * application then uses the database, and a dump of it is restored elsewhere and compared.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import type { PGlite } from "@electric-sql/pglite";
import { serversSpec } from "../../components/base/postgres-spec";
import { postgres } from "../../components/platform/postgres/module";
import type { PostgresOptions } from "../../components/platform/postgres/options";
import { postgresServers } from "../../components/platform/postgres/values";
import { planEstate } from "../../stacks/plan/plan";
import { outsideVm } from "../support/outside-vm";
import { estate } from "../support/planned-stack";

const pglite = outsideVm<typeof import("@electric-sql/pglite")>("@electric-sql/pglite");
const { vector } = outsideVm<typeof import("@electric-sql/pglite-pgvector")>("@electric-sql/pglite-pgvector");
const { pgDump } = outsideVm<typeof import("@electric-sql/pglite-tools/pg_dump")>("@electric-sql/pglite-tools/pg_dump");

const open = (): Promise<PGlite> => pglite.PGlite.create({ extensions: { vector } });
/** One server for all tests, since its start takes longer than all queries. After each test it is reset. */
let db: PGlite;
beforeAll(async () => {
  db = await open();
});
afterEach(async () => {
  // A dump leaves its transaction open.
  await db.exec("ROLLBACK");
  await db.exec("DISCARD ALL");
  await db.exec(`
    DROP SCHEMA public CASCADE;
    CREATE SCHEMA public AUTHORIZATION pg_database_owner;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
    DROP ROLE IF EXISTS apps;
  `);
});
afterAll(() => db.close());

/** The SQL that the operator runs in the first database as superuser. */
function firstSql(options: PostgresOptions): readonly string[] {
  const [[database = "", { owner, extensions }] = ["", { owner: "", extensions: [] as string[] }]] = Object.entries(options.databases);
  const servers = postgresServers(options, "local-path", "db.example.org");
  const { bootstrap } = serversSpec({ cluster: "postgres", servers, database, owner, secret: "s", extensions });
  return "initdb" in bootstrap ? (bootstrap.initdb.postInitApplicationSQL ?? []) : [];
}

const planned = [...planEstate(estate)].flatMap(([stack, { platform }]) =>
  platform.modules.filter(({ name }) => name === postgres.name).map(({ options }) => ({ stack, options: options as PostgresOptions })),
);

/** What an application does that stores texts with vectors of their meaning. */
const APPLICATION = `
  CREATE ROLE apps LOGIN;
  GRANT ALL ON SCHEMA public TO apps;
  SET ROLE apps;
  CREATE TABLE note (id integer PRIMARY KEY, body text NOT NULL, meaning vector(3) NOT NULL);
  CREATE INDEX note_meaning ON note USING hnsw (meaning vector_cosine_ops);
  INSERT INTO note VALUES (1, 'a "quoted" ü', '[1,0,0]'), (2, 'b''s', '[0,1,0]'), (3, 'c', '[0.9,0.1,0]');
  RESET ROLE;
`;
const NEAREST = "SELECT id FROM public.note ORDER BY meaning <=> '[1,0.05,0]' LIMIT 2";

const nearest = async (db: PGlite): Promise<unknown[]> => (await db.query<{ id: number }>(NEAREST)).rows.map(({ id }) => id);
const rows = async (db: PGlite): Promise<unknown[]> => (await db.query("SELECT id, body, meaning::text FROM public.note ORDER BY id")).rows;

test.each(planned)("Postgres accepts the SQL for the servers of $stack, also a second time, and an application may use the database", async ({ options }) => {
  const sql = firstSql(options);
  expect(sql).toEqual(['CREATE EXTENSION IF NOT EXISTS "vector"']);
  for (const statement of [...sql, ...sql]) await db.exec(statement);
  await db.exec(APPLICATION);
  expect(await nearest(db)).toEqual([1, 3]);
});

test("a dump, restored elsewhere, is the same: rows, extension, owner and index", async () => {
  const [first] = planned;
  if (first === undefined) throw new Error("no stack has Postgres");
  const [before, after] = [db, await open()];
  for (const statement of firstSql(first.options)) await before.exec(statement);
  await before.exec(APPLICATION);
  const kept = await rows(before);
  const dump = await (await pgDump({ pg: before })).text();
  await after.exec("CREATE ROLE apps LOGIN;");
  await after.exec(dump);
  // A dump qualifies all names with their schema and leaves the search path empty.
  await after.exec("SET search_path = public;");
  expect(await rows(after)).toEqual(kept);
  expect(await nearest(after)).toEqual([1, 3]);
  const about = "SELECT tableowner, (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector FROM pg_tables WHERE tablename = 'note'";
  expect((await after.query(about)).rows).toEqual((await before.query(about)).rows);
  expect((await after.query("SELECT indexname FROM pg_indexes WHERE tablename = 'note' ORDER BY 1")).rows).toEqual([
    { indexname: "note_meaning" },
    { indexname: "note_pkey" },
  ]);
  await after.close();
});

test("a name with a dash or a quote is one identifier: what Postgres does not have is refused by its whole name", async () => {
  const refused = { "uuid-ossp": 'extension "uuid-ossp" is not available', 'a"; DROP TABLE x; --': 'invalid extension name: "a"; DROP TABLE x; --"' };
  for (const [name, says] of Object.entries(refused)) {
    const servers = postgresServers(postgres.options.parse({}), "local-path", "db.example.org");
    const { bootstrap } = serversSpec({ cluster: "c", servers, database: "d", owner: "o", secret: "s", extensions: [name] });
    const [statement = ""] = "initdb" in bootstrap ? (bootstrap.initdb.postInitApplicationSQL ?? []) : [];
    await expect(db.exec(statement)).rejects.toThrow(says);
  }
});

test("Postgres accepts the demo's table and queries: the nearest words come first, each once", async () => {
  const folder = path.resolve("images", "demo");
  const sql = (...names: string[]): string => fs.readFileSync(path.join(folder, "cmd", "worker", "sql", ...names), "utf8");
  for (const step of fs.readdirSync(path.join(folder, "cmd", "worker", "sql", "migrations")).toSorted()) await db.exec(sql("migrations", step));
  const dimensions = Number(/^const Dimensions = (\d+)$/m.exec(fs.readFileSync(path.join(folder, "internal", "words", "words.go"), "utf8"))?.[1]);
  const at = (...values: number[]): string => JSON.stringify(Array.from({ length: dimensions }, (_, index) => values[index] ?? 0));
  const words = Object.entries({ far: at(0, 1), near: at(1, 0.1), same: at(1) });
  for (const [index, [word, embedding]] of [...words, ...words].entries()) await db.query(sql("insert.sql"), [String(index), word, embedding]);
  const { rows: found } = await db.query<{ word: string; distance: number }>(sql("similar.sql"), [at(1)]);
  expect(found.map(({ word, distance }) => [word, Math.round(distance * 1000) / 1000])).toEqual([
    ["same", 0],
    ["near", 0.005],
    ["far", 1],
  ]);
});
