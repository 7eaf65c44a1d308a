import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { checkUpOptions, defaultUpOptions, parseOverrides, traceOverrides } from './cluster/up-options.ts';
import type { UpOptions } from './cluster/up-options.ts';
import { brokerId, openLab, printStatus, tellUser, upDetached, upInFront } from './commands.ts';
import { LabError, messageOf } from './lab-error.ts';
import { printDiff, printRpcs, printZNodes, takeSnapshot, traffic, walkthrough } from './watch-commands.ts';

const upFlags = {
  brokers: { type: 'number', default: defaultUpOptions.brokers, describe: 'how many brokers' },
  zookeepers: { type: 'number', choices: [1, 3], default: 1, describe: 'how many ZooKeeper servers' },
  runtime: {
    choices: ['process', 'docker'] as const,
    default: 'process' as const,
    describe: 'processes or containers',
  },
  'base-port': { type: 'number', default: defaultUpOptions.basePort, describe: "the first broker's port" },
  'zookeeper-port': { type: 'number', default: defaultUpOptions.zooKeeperPort, describe: "the first ZooKeeper's port" },
  zookeeper: { type: 'string', describe: 'connect string of a ZooKeeper that already runs' },
  trace: { type: 'boolean', default: false, describe: 'brokers log every request, for scripts/lab rpcs' },
  override: { type: 'string', array: true, default: [] as string[], describe: 'key=value for every broker' },
} as const;

interface UpArguments {
  brokers: number;
  zookeepers: number;
  runtime: 'process' | 'docker';
  'base-port': number;
  'zookeeper-port': number;
  zookeeper?: string | undefined;
  trace: boolean;
  override: string[];
}

function upOptions(args: UpArguments): UpOptions {
  return checkUpOptions({
    brokers: args.brokers,
    zooKeepers: args.zookeepers === 3 ? 3 : 1,
    runtime: args.runtime,
    basePort: args['base-port'],
    zooKeeperPort: args['zookeeper-port'],
    zooKeeper: args.zookeeper,
    overrides: { ...(args.trace ? traceOverrides : {}), ...parseOverrides(args.override) },
  });
}

const path = { path: { type: 'string', default: '/', describe: 'a znode' } } as const;
const oneTopic = { topic: { type: 'string', describe: 'leave other topics out' } } as const;
const snapshotName = { name: { type: 'string', demandOption: true, describe: "the snapshot's name" } } as const;

const onBroker = [
  ['kill', 'kill -9', (id: number) => openLab().kill(id)],
  ['stop', 'SIGTERM: a controlled shutdown', (id: number) => openLab().stop(id)],
  ['start', 'start it again with the data it has', (id: number) => openLab().start(id)],
  ['pause', 'SIGSTOP', (id: number) => openLab().pause(id)],
  ['resume', 'SIGCONT', (id: number) => openLab().resume(id)],
] as const;

let parser = yargs(hideBin(process.argv))
  .scriptName('scripts/lab')
  .usage('$0 [command]: a real ZooKeeper and a few brokers, to start, break and watch')
  .parserConfiguration({ 'duplicate-arguments-array': true, 'greedy-arrays': false })
  .command('$0', 'start a cluster and stay in front; Ctrl-C ends it', upFlags, (args) => upInFront(upOptions(args)))
  .command(
    'up',
    'start a cluster',
    { ...upFlags, detach: { type: 'boolean', default: false, describe: 'leave it running' } } as const,
    (args) => (args.detach ? upDetached(upOptions(args)) : upInFront(upOptions(args))),
  )
  .command(
    'status',
    'what runs where, and who is controller',
    { json: { type: 'boolean', default: false, describe: 'for programs' } },
    (args) => printStatus(args.json),
  )
  .command(
    'down',
    'end the cluster',
    { wipe: { type: 'boolean', default: false, describe: 'remove its data, too' } },
    (args) => openLab().down({ wipe: args.wipe }),
  )
  .command('znodes [path]', 'the znodes below a path: version and data', path, (args) => printZNodes(args.path))
  .command('snapshot <name>', 'remember the znodes and the moment', snapshotName, (args) => takeSnapshot(args.name))
  .command(
    'diff <name> [path]',
    'what changed in the znodes since a snapshot',
    { ...snapshotName, ...path, ...oneTopic },
    (args) => printDiff(args.name, args.path, args.topic),
  )
  .command(
    'rpcs',
    'the requests between brokers, as their receivers logged them (needs up --trace)',
    {
      since: { type: 'string', describe: 'only those since this snapshot' },
      ...oneTopic,
    } as const,
    (args) => printRpcs(args.since, args.topic),
  )
  .command(
    'traffic <action> [topic]',
    'a producer (acks=all) and a consumer that run through what happens; start <topic>, report, stop',
    (command) =>
      command
        .positional('action', { choices: ['start', 'report', 'stop'] as const, demandOption: true })
        .positional('topic', { type: 'string', describe: 'a topic that exists' })
        .option('rate', { type: 'number', default: 10, describe: 'records a second and partition' }),
    (args) => traffic(args.action, args.topic, args.rate),
  )
  .command(
    'walkthrough [name]',
    'run a walkthrough of docs/walkthroughs on a cluster of its own; list tells which there are',
    (command) =>
      command
        .positional('name', { type: 'string', default: 'list' })
        .option('step', { type: 'boolean', default: false, describe: 'wait for Enter before each command' }),
    (args) => walkthrough(args.name, args.step),
  );

for (const [name, description, act] of onBroker) {
  parser = parser.command(
    `${name} <broker>`,
    description,
    (command) => command.positional('broker', { type: 'string', demandOption: true, describe: 'its id' }),
    (args) => act(brokerId(args.broker)),
  );
}

try {
  await parser
    .strict()
    .version(false)
    .help()
    .wrap(null)
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new LabError(`${message} (scripts/lab --help tells what there is)`);
    })
    .parseAsync();
} catch (error) {
  if (error instanceof LabError) tellUser(error.message.replaceAll('\n', ' '));
  else if (error instanceof Error && error.name === 'YError') tellUser(messageOf(error));
  else {
    tellUser(`an unexpected error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  process.exitCode = 1;
}
