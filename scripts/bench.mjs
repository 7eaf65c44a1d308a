// `pnpm bench`: how fast is a broker? `pnpm bench help` says the rest. Needs a build.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const home = join(import.meta.dirname, '..');
const MIB = 1024 * 1024;

const usage = `Usage: pnpm bench [what] [options]

  pnpm bench               one broker, then three with real replication: produce, fetch, small requests, end to end
  pnpm bench list          the packages that have micro benches
  pnpm bench <package>     the micro benches of a package

  --quick                  less of everything: some 15 s in place of 60 s
  --codec kafka|msgpack    one codec only, in place of both
  --brokers 1|3            one of the two clusters only
  --bootstrap host:port    a broker that runs already (Apache Kafka's, too: --codec kafka), with
  --pid 1,2                its processes, for their processor time
  --profile folder         writes a CPU profile of every broker there

The figures depend on the machine and on what else it does: compare within one run, or by the column "of plain"
(the share of what plain file writes and reads of the same bytes give in the same run).`;

function fail(text) {
  process.stderr.write(`bench: ${text}\n`);
  process.exit(1);
}

function microBenches() {
  const files = globSync('packages/*/bench/*bench.ts', { cwd: home }).sort();
  return Map.groupBy(files, (file) => file.split(/[\\/]/)[1]);
}

function list() {
  const lines = [...microBenches()].map(([name, files]) => `${name}: ${files.map((f) => basename(f)).join(', ')}`);
  process.stdout.write(`broker: whole brokers (also without a name)\n${lines.join('\n')}\n`);
}

function runMicroBenches(name, files) {
  for (const file of files) {
    process.stdout.write(`${name}: ${basename(file)}\n`);
    const { status } = spawnSync(process.execPath, ['--no-warnings', '--conditions=klassic-source', join(home, file)], {
      stdio: 'inherit',
    });
    if (status !== 0) process.exit(status ?? 1);
  }
}

function needBuild() {
  for (const main of ['broker/dist/server/main.js', 'network/dist/index.js', 'test-support/dist/index.js']) {
    if (!existsSync(join(home, 'packages', main))) fail('this needs a build: pnpm build (or scripts/test) first');
  }
}

function print(line) {
  process.stdout.write(`${line}\n`);
}

async function loadCluster(count, codecs, limit, BrokerLoad, peakMemoryBytes) {
  const { startCluster } = await import('@klassic/test-support');
  const start = performance.now();
  const cluster = await startCluster({ brokers: count });
  try {
    print('');
    print(`${count === 1 ? 'one broker' : `${count} brokers`} and ZooKeeper, up after ${seconds(start)} s`);
    const pids = cluster.brokers.map((broker) => broker.pid);
    const [{ host, port }] = cluster.brokers;
    const load = new BrokerLoad({ host, port, pids, limit, print });
    for (const codec of codecs) await (count === 1 ? load.oneBroker(codec) : load.threeBrokers(codec));
    const peaks = pids.map(peakMemoryBytes).filter((bytes) => bytes !== undefined);
    if (peaks.length > 0) {
      print(`\nmost memory resident: ${peaks.map((bytes) => `${(bytes / MIB).toFixed(0)} MiB`).join(', ')}`);
    }
    // A process that is killed writes no profile.
    if (process.env.KLASSIC_NODE_OPTIONS !== undefined) await Promise.all(cluster.brokers.map((b) => b.stop(20_000)));
  } finally {
    await cluster.stop();
  }
}

function seconds(start) {
  return ((performance.now() - start) / 1000).toFixed(1);
}

async function loadBrokers(options) {
  needBuild();
  if (options.profile !== undefined) {
    const folder = resolve(options.profile);
    mkdirSync(folder, { recursive: true });
    process.env.KLASSIC_NODE_OPTIONS = `--cpu-prof --cpu-prof-dir=${folder}`;
  }
  const { BrokerLoad } = await import('../packages/broker/bench/broker-load.ts');
  const { peakMemoryBytes } = await import('../packages/broker/bench/processor-time.ts');
  const limit = options.quick ? { bytes: 32 * MIB, ms: 200 } : { bytes: 256 * MIB, ms: 1200 };
  const codecs = options.codec === undefined ? ['kafka', 'msgpack'] : [options.codec];
  const start = performance.now();
  if (options.bootstrap !== undefined) {
    const [host, port] = options.bootstrap.split(':');
    const pids = (options.pid ?? '').split(',').filter(Boolean).map(Number);
    const load = new BrokerLoad({ host, port: Number(port), pids, limit, print });
    for (const codec of codecs) await (options.brokers === '3' ? load.threeBrokers(codec) : load.oneBroker(codec));
  } else {
    if (options.brokers !== '3') await loadCluster(1, codecs, limit, BrokerLoad, peakMemoryBytes);
    if (options.brokers !== '1') await loadCluster(3, codecs.slice(0, 1), limit, BrokerLoad, peakMemoryBytes);
  }
  print(`\ndone in ${seconds(start)} s`);
}

function readArguments() {
  const text = { type: 'string' };
  const options = { quick: { type: 'boolean' }, codec: text, brokers: text, bootstrap: text, pid: text, profile: text };
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return fail(`${error.message}\n\n${usage}`);
  }
}

const { values, positionals } = readArguments();
const what = positionals[0] ?? 'broker';
if (![undefined, 'kafka', 'msgpack'].includes(values.codec)) fail('--codec is kafka or msgpack');
if (![undefined, '1', '3'].includes(values.brokers)) fail('--brokers is 1 or 3');
if (what === 'help') print(usage);
else if (what === 'list') list();
else if (what === 'broker') await loadBrokers(values);
else {
  const files = microBenches().get(what);
  if (files === undefined) fail(`no micro bench in packages/${what}: pnpm bench list`);
  runMicroBenches(what, files);
}
