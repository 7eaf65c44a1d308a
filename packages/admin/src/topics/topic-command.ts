import { Admin } from '@klassic/client';
import { Errors, KafkaError } from '@klassic/protocol';
import { parseArguments, parsePairs, refuseTogether, required, requireOptions, VERSION } from '../arguments.ts';
import type { Arguments } from '../arguments.ts';
import { clientOptions, readProperties } from '../client-settings.ts';
import { UsageError } from '../tool.ts';
import type { Tool, ToolIo } from '../tool.ts';
import { describeTopics } from './describe.ts';
import { parseReplicaAssignment } from './replica-assignment.ts';
import { matchingTopics } from './topic-filter.ts';

const options = {
  alter: 'flag',
  'at-min-isr-partitions': 'flag',
  'bootstrap-server': 'string',
  'command-config': 'string',
  config: 'strings',
  create: 'flag',
  delete: 'flag',
  describe: 'flag',
  'disable-rack-aware': 'flag',
  'exclude-internal': 'flag',
  force: 'flag',
  help: 'flag',
  'if-exists': 'flag',
  'if-not-exists': 'flag',
  list: 'flag',
  partitions: 'number',
  'replica-assignment': 'string',
  'replication-factor': 'number',
  topic: 'string',
  'topics-with-overrides': 'flag',
  'unavailable-partitions': 'flag',
  'under-min-isr-partitions': 'flag',
  'under-replicated-partitions': 'flag',
  version: 'flag',
} as const;

type TopicArguments = Arguments<typeof options>;

const actions = ['list', 'describe', 'create', 'alter', 'delete'] as const;
const MAX_REPLICATION_FACTOR = 32767;

/** Something about topics could not be done: told on standard output, as `kafka.admin.TopicCommand` does. */
class TopicCommandError extends Error {}

/** kafka-topics: create, delete, describe, list or change topics. Counterpart of `kafka.admin.TopicCommand`. */
export const topicCommand: Tool = async (argv, io) => {
  const args = parseArguments(argv, options);
  if (args.version) {
    io.out(`${VERSION} (Klassic)\n`);
    return 0;
  }
  if (argv.length === 0) throw new UsageError('Create, delete, describe, or change a topic.');
  if (args.help) throw new UsageError('This tool helps to create, delete, describe, or change a topic.');
  const action = checkArguments(args);
  const settings =
    args['command-config'] === undefined ? new Map<string, string>() : readProperties(args['command-config']);
  const admin = new Admin(clientOptions(required(args['bootstrap-server'], 'bootstrap-server'), settings));
  try {
    await run[action](admin, args, io);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    io.out(`Error while executing topic command : ${(error as Error).message}\n`);
    return 1;
  } finally {
    admin.close();
  }
};

function checkArguments(args: TopicArguments): (typeof actions)[number] {
  const { given } = args;
  const asked = actions.filter((action) => given.includes(action));
  if (asked.length !== 1) {
    throw new UsageError('Command must include exactly one action: --list, --describe, --create, --alter or --delete');
  }
  const action = asked[0]!;
  requireOptions(given, 'bootstrap-server');
  if (action === 'create' || action === 'alter' || action === 'delete') requireOptions(given, 'topic');
  if (action === 'alter') {
    if (given.includes('config')) {
      throw new UsageError(
        'Option combination "[bootstrap-server],[config]" can\'t be used with option "[alter]" (the kafka-configs CLI supports altering topic configs with a --bootstrap-server option)',
      );
    }
    requireOptions(given, 'partitions');
  }
  const onlyWith = (name: string, ...allowed: string[]): void => {
    if (!allowed.includes(action)) refuseTogether(given, action, name);
  };
  onlyWith('partitions', 'create', 'alter');
  onlyWith('replication-factor', 'create');
  onlyWith('replica-assignment', 'create', 'alter');
  onlyWith('config', 'create');
  onlyWith('if-not-exists', 'create');
  onlyWith('if-exists', 'alter', 'delete', 'describe');
  onlyWith('exclude-internal', 'list', 'describe');
  for (const filter of [
    'topics-with-overrides',
    'unavailable-partitions',
    'under-min-isr-partitions',
    'under-replicated-partitions',
    'at-min-isr-partitions',
  ]) {
    onlyWith(filter, 'describe');
  }
  if (action === 'create') refuseTogether(given, 'replica-assignment', 'partitions', 'replication-factor');
  return action;
}

const run: Record<(typeof actions)[number], (admin: Admin, args: TopicArguments, io: ToolIo) => Promise<void>> = {
  async list(admin, args, io) {
    const topics = matchingTopics(await admin.listTopics(), args.topic, args['exclude-internal']);
    io.out(`${topics.map(({ name }) => name).join('\n')}\n`);
  },

  async describe(admin, args, io) {
    const topics = matchingTopics(await admin.listTopics(), args.topic, args['exclude-internal']);
    if (!ensureExists(topics, args)) return;
    await describeTopics(admin, topics, io, {
      withOverrides: args['topics-with-overrides'],
      underReplicated: args['under-replicated-partitions'],
      unavailable: args['unavailable-partitions'],
      underMinIsr: args['under-min-isr-partitions'],
      atMinIsr: args['at-min-isr-partitions'],
    });
  },

  async create(admin, args, io) {
    const name = required(args.topic, 'topic');
    const { partitions, 'replication-factor': replicationFactor, 'replica-assignment': assignment } = args;
    if (/[._]/.test(name)) {
      io.out(
        "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To avoid issues it is best to use either, but not both.\n",
      );
    }
    if (replicationFactor !== undefined && (replicationFactor < 1 || replicationFactor > MAX_REPLICATION_FACTOR)) {
      throw new TopicCommandError(`The replication factor must be between 1 and ${MAX_REPLICATION_FACTOR} inclusive`);
    }
    if (partitions !== undefined && partitions < 1)
      throw new TopicCommandError('The partitions must be greater than 0');
    try {
      await admin.createTopics([
        {
          name,
          configs: Object.fromEntries(parsePairs(args.config)),
          ...(assignment === undefined ? {} : { replicasAssignments: parseReplicaAssignment(assignment) }),
          ...(partitions === undefined ? {} : { numPartitions: partitions }),
          ...(replicationFactor === undefined ? {} : { replicationFactor }),
        },
      ]);
    } catch (error) {
      const exists = error instanceof KafkaError && error.error === Errors.TOPIC_ALREADY_EXISTS;
      if (exists && args['if-not-exists']) return;
      throw error;
    }
    io.out(`Created topic ${name}.\n`);
  },

  async alter(admin, args) {
    const topics = matchingTopics(await admin.listTopics(), args.topic, false);
    if (!ensureExists(topics, args)) return;
    const count = required(args.partitions, 'partitions');
    const assignment = args['replica-assignment'];
    for (const topic of topics) {
      // The assignment on the command line names every partition; the request takes the new ones.
      const added =
        assignment === undefined ? undefined : parseReplicaAssignment(assignment).slice(topic.partitions.length);
      await admin.createPartitions(topic.name, count, added);
    }
  },

  async delete(admin, args) {
    const topics = matchingTopics(await admin.listTopics(), args.topic, false);
    if (!ensureExists(topics, args)) return;
    await admin.deleteTopics(topics.map(({ name }) => name));
  },
};

/** @returns false when there is none, and that is said to be all right */
function ensureExists(topics: readonly unknown[], args: TopicArguments): boolean {
  if (topics.length > 0 || args.topic === undefined) return true;
  if (args['if-exists']) return false;
  throw new TopicCommandError(`Topic '${args.topic}' does not exist as expected`);
}
