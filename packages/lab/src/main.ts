import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { checkUpOptions, defaultUpOptions, parseOverrides } from './cluster/up-options.ts';
import type { UpOptions } from './cluster/up-options.ts';
import { brokerId, openLab, printStatus, tellUser, upDetached, upInFront } from './commands.ts';
import { LabError, messageOf } from './lab-error.ts';

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
  override: { type: 'string', array: true, default: [] as string[], describe: 'key=value for every broker' },
} as const;

interface UpArguments {
  brokers: number;
  zookeepers: number;
  runtime: 'process' | 'docker';
  'base-port': number;
  'zookeeper-port': number;
  zookeeper?: string | undefined;
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
    overrides: parseOverrides(args.override),
  });
}

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
