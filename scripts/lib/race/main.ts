import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findJava } from '@klassic/lab';
import type { Properties } from '@klassic/lab';
import { kafkaJars, temporaryFolder } from '@klassic/test-support';
import { apacheKafka, klassic } from './contestant.ts';
import type { Contestant } from './contestant.ts';
import { JavaClients } from './java-clients.ts';
import { RaceCluster } from './race-cluster.ts';
import { eventRows } from './event-rows.ts';
import { groupRows } from './group-rows.ts';
import { rows } from './rows.ts';
import type { Row } from './rows.ts';
import { Standings } from './standings.ts';

const usage = `Usage: scripts/race [options]

  --rounds N           how often each contestant runs each row (default 3); the table has the medians
  --scale F            the share of each row's records that is sent (default 1): short runs measure much warm-up
  --only ROW[,ROW…]    these rows alone: ${rows.map(({ id }) => id).join(' ')}
  --event N            instead of these rows: a topic of N partitions with three replicas is created, a broker is killed and
                       returns, the controller is killed
  --groups N           instead of these rows: N groups of ten members (1000, as usual) join, beat and are held in memory, and one
                       of a hundred members joins
  --contestant NAME    kafka or klassic alone, without ratios
  --profile FOLDER     writes a CPU profile of each Klassic broker there (and stops brokers gracefully)
  --json FILE          writes every single result there`;

/** What a round of both contestants writes at scale 1, in bytes; a margin included. */
const ROUND_BYTES = 12 * 1024 ** 3;

interface Options {
  readonly rounds: number;
  readonly scale: number;
  readonly rows: readonly Row[];
  readonly contestant: string | undefined;
  readonly profile: string | undefined;
  readonly json: string | undefined;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One clear line, and the end. */
class RaceError extends Error {}

function readOptions(args: readonly string[]): Options {
  const values = parse(args);
  if (values['help'] === true) {
    print(usage);
    process.exit(0);
  }
  const given = (name: string): string | undefined => values[name] as string | undefined;
  const rounds = Number(given('rounds') ?? 3);
  if (!Number.isInteger(rounds) || rounds < 1) throw new RaceError('--rounds is a whole number from 1 on');
  const scale = Number(given('scale') ?? 1);
  if (!(scale > 0 && scale <= 10)) throw new RaceError('--scale is a number above 0, up to 10');
  const contestant = given('contestant');
  if (![undefined, 'kafka', 'klassic'].includes(contestant)) throw new RaceError('--contestant is kafka or klassic');
  const only = given('only')?.split(',');
  const unknown = only?.find((id) => !rows.some((row) => row.id === id));
  if (unknown !== undefined) throw new RaceError(`--only: there is no row ${unknown}; scripts/race --help lists them`);
  const event = countOf('--event', 'partitions', given('event'));
  const groups = countOf('--groups', 'groups', given('groups'));
  if ([event, groups, only].filter((each) => each !== undefined).length > 1) {
    throw new RaceError('--event, --groups and --only exclude each other');
  }
  const workloads = only === undefined ? rows : rows.filter(({ id }) => only.includes(id));
  const special = event !== undefined ? eventRows(event) : groups !== undefined ? groupRows(groups) : undefined;
  return { rounds, scale, rows: special ?? workloads, contestant, profile: given('profile'), json: given('json') };
}

function countOf(option: string, what: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const count = Number(given);
  if (Number.isInteger(count) && count >= 1 && count <= 10_000) return count;
  throw new RaceError(`${option} is a number of ${what}, from 1 to 10000`);
}

function parse(args: readonly string[]): Readonly<Record<string, unknown>> {
  const text = { type: 'string' } as const;
  const choice = { only: text, event: text, groups: text, contestant: text };
  const names = { rounds: text, scale: text, ...choice, profile: text, json: text };
  try {
    return parseArgs({ args: [...args], options: { help: { type: 'boolean', short: 'h' }, ...names } }).values;
  } catch (error) {
    throw new RaceError(`${(error as Error).message}\n\n${usage}`);
  }
}

async function race(options: Options): Promise<boolean> {
  const java = await findJava();
  if (java === undefined) throw new RaceError('a Java runtime (11 or later) is needed: install one or set JAVA_HOME');
  const [serverLibs, clientLibs] = [await kafkaJars('2.8.2', print), await kafkaJars('3.9.1', print)];
  checkDisk(options);
  if (options.profile !== undefined) {
    const folder = resolve(options.profile);
    mkdirSync(folder, { recursive: true });
    process.env['KLASSIC_NODE_OPTIONS'] = `--cpu-prof --cpu-prof-dir=${folder}`;
  }
  // All files stay until the end: deleting gigabytes would slow down whoever runs next.
  const home = temporaryFolder('race');
  const clients = new JavaClients(java, clientLibs, join(home, 'clients'));
  const contestants = [apacheKafka(java, serverLibs, join(home, 'kafka')), klassic()].filter(
    ({ id }) => options.contestant === undefined || options.contestant === id,
  );
  print(`${availableParallelism()} processors, load ${loadavg()[0]!.toFixed(2)} before the race`);
  const standings = new Standings(options.rows);
  let complete = true;
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const [index, onOneCluster] of byCluster(options.rows).entries()) {
      // Who goes first changes with each round.
      const order = round % 2 === 1 ? contestants : contestants.toReversed();
      for (const contestant of order) {
        const folder = join(home, `round-${round}-${contestant.id}-${index + 1}`);
        const { brokers, settings = {} } = onOneCluster[0]!;
        const lap = { contestant, brokers, settings, java, folder, clients, rows: onOneCluster, round };
        complete = (await runLap(lap, options, standings)) && complete;
      }
    }
  }
  print(`\n${standings.table(contestants)}`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(standings, null, 2)}\n`);
  return complete;
}

/** The rows that share a cluster, the smallest cluster first. */
function byCluster(chosen: readonly Row[]): (readonly Row[])[] {
  const inOrder = chosen.toSorted((one, other) => one.brokers - other.brokers);
  const kinds = Map.groupBy(inOrder, ({ brokers, settings }) => JSON.stringify([brokers, settings]));
  return [...kinds.values()];
}

interface LapPlan {
  readonly contestant: Contestant;
  readonly brokers: number;
  readonly settings: Properties;
  readonly java: string;
  readonly folder: string;
  readonly clients: JavaClients;
  readonly rows: readonly Row[];
  readonly round: number;
}

/** Runs the rows on one cluster. A row that fails says so and leaves a hole in the table. @returns false then */
async function runLap(plan: LapPlan, options: Options, standings: Standings): Promise<boolean> {
  const { contestant, clients, round } = plan;
  const place = `round ${round}, ${contestant.name}`;
  let complete = true;
  let cluster: RaceCluster;
  settle();
  try {
    cluster = await RaceCluster.start(plan);
  } catch (error) {
    print(`${place}: ${plan.brokers} brokers did not start: ${(error as Error).message}`);
    return false;
  }
  const scaled = (records: number): number => Math.ceil(records * options.scale);
  const lap = { cluster, clients, scaled, filled: new Set<string>() };
  for (const row of plan.rows) {
    settle();
    try {
      const numbers = await row.measure(lap);
      standings.add(row, contestant.id, numbers);
      const said = row.figures.map(({ name, digits }, index) => `${numbers[index]!.toFixed(digits)} ${name}`);
      print(`${place}: ${row.id}: ${said.join(', ')}`);
    } catch (error) {
      print(`${place}: ${row.id} failed: ${(error as Error).message}`);
      complete = false;
    }
  }
  await cluster.stop(options.profile !== undefined);
  return complete;
}

/** What one has written must not be written out at another's expense. */
function settle(): void {
  if (process.platform !== 'win32') execFileSync('sync');
}

function checkDisk({ rounds, scale, rows: chosen }: Options): void {
  const { bavail, bsize } = statfsSync(tmpdir());
  const needed = (rounds * scale * ROUND_BYTES * chosen.length) / rows.length;
  if (bavail * bsize >= needed) return;
  const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(0)} GiB`;
  throw new RaceError(
    `${gib(needed)} are needed in ${tmpdir()}, ${gib(bavail * bsize)} are free: set TMPDIR, or --scale`,
  );
}

try {
  process.exitCode = (await race(readOptions(process.argv.slice(2)))) ? 0 : 1;
} catch (error) {
  process.stderr.write(`race: ${(error as Error).message}\n`);
  process.exitCode = error instanceof RaceError ? 2 : 1;
}
