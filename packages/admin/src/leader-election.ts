import { Admin, TimeoutError } from '@klassic/client';
import { inHashOrder, parseTopicPartition, topicPartitionHash, topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import { parseArguments, required } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { clientOptions, readProperties } from './client-settings.ts';
import { javaText } from './java-text.ts';
import { duplicates, JsonObject, PartitionFileError, readTextFile } from './partition-file.ts';
import { UsageError } from './tool.ts';
import type { Tool, ToolIo } from './tool.ts';

const options = {
  'admin.config': 'string',
  'all-topic-partitions': 'flag',
  'bootstrap-server': 'string',
  'election-type': 'string',
  help: 'flag',
  partition: 'number',
  'path-to-json-file': 'string',
  topic: 'string',
} as const;

const electionTypes = ['preferred', 'unclean'] as const;
type ElectionType = (typeof electionTypes)[number];

/** kafka-leader-election: has leaders elected. Counterpart of `kafka.admin.LeaderElectionCommand`. */
export const leaderElectionCommand: Tool = async (argv, io) => {
  const args = parseArguments(argv, options);
  if (args.help || argv.length === 0) {
    throw new UsageError(
      'This tool attempts to elect a new leader for a set of topic partitions. The type of elections supported are ' +
        'preferred replicas and unclean replicas.',
    );
  }
  checkArguments(args);
  const type = electionTypes.find((known) => known === args['election-type']?.toLowerCase());
  if (type === undefined) {
    throw new UsageError(`Cannot parse argument '${args['election-type']}' of option election-type`);
  }
  const partitions = partitionsOf(args);
  const settings =
    args['admin.config'] === undefined ? new Map<string, string>() : readProperties(args['admin.config']);
  const admin = new Admin(clientOptions(required(args['bootstrap-server'], 'bootstrap-server'), settings));
  try {
    report(type, await admin.electLeaders(type, partitions), io);
    return 0;
  } catch (error) {
    const words = failureOf(error);
    if (words !== undefined) io.out(`${words}\n`);
    throw words === undefined ? error : new UsageError(words, { cause: error });
  } finally {
    admin.close();
  }
};

function checkArguments(args: Arguments<typeof options>): void {
  const has = (name: string): boolean => args.given.includes(name);
  const missing = ['election-type', 'bootstrap-server'].filter((name) => !has(name));
  if (missing.length > 0) throw new UsageError(`Missing required option(s): ${missing.join(', ')}`);
  const which = ['topic', 'all-topic-partitions', 'path-to-json-file'];
  if (which.filter(has).length !== 1) {
    throw new UsageError(`One and only one of the following options is required: ${which.join(', ')}`);
  }
  if (has('topic') && !has('partition')) throw new UsageError('Missing required option(s): partition');
  if (has('partition') && !has('topic')) throw new UsageError('Option partition is only allowed if topic is used');
}

/** Undefined for those of all topics. */
function partitionsOf(args: Arguments<typeof options>): TopicPartition[] | undefined {
  const { topic, partition, 'path-to-json-file': path } = args;
  if (topic !== undefined) return [{ topic, partition: required(partition, 'partition') }];
  return path === undefined ? undefined : parseElectionData(readTextFile(path));
}

/**
 * Reads `{"partitions":[{"topic":"t","partition":0}]}`.
 *
 * @throws UsageError
 */
export function parseElectionData(text: string): TopicPartition[] {
  try {
    const file = JsonObject.parse(text);
    if (!file.has('partitions')) throw new PartitionFileError('Replica election data is missing "partitions" field');
    const partitions = file.objects('partitions').map((entry) => ({
      topic: entry.string('topic'),
      partition: entry.number('partition'),
    }));
    const twice = duplicates(partitions.map(({ topic, partition }) => topicPartitionKey(topic, partition)));
    if (twice.length > 0) {
      throw new PartitionFileError(`Replica election data contains duplicate partitions: ${twice.join(',')}`);
    }
    return partitions;
  } catch (error) {
    if (error instanceof PartitionFileError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** @throws UsageError when a partition was refused */
export function report(type: ElectionType, results: ReadonlyMap<string, Error | null>, io: ToolIo): void {
  const keys = inHashOrder([...results.keys()], (key) => {
    const { topic, partition } = parseTopicPartition(key)!;
    return topicPartitionHash(topic, partition);
  });
  const name = type.toUpperCase();
  const succeeded = keys.filter((key) => results.get(key) === null);
  const isNoop = (error: Error | null | undefined): boolean =>
    error instanceof KafkaError && error.error === Errors.ELECTION_NOT_NEEDED;
  if (succeeded.length > 0) {
    io.out(`Successfully completed leader election (${name}) for partitions ${succeeded.join(', ')}\n`);
  }
  // The original names those that succeeded here, too.
  if (keys.some((key) => isNoop(results.get(key)))) {
    io.out(`Valid replica already elected for partitions ${succeeded.join(', ')}\n`);
  }
  let failed = 0;
  for (const key of keys) {
    const error = results.get(key);
    if (error === null || error === undefined || isNoop(error)) continue;
    failed += 1;
    io.out(`Error completing leader election (${name}) for partition: ${key}: ${javaText(error)}\n`);
  }
  if (failed > 0) throw new UsageError(`${failed} replica(s) could not be elected`);
}

function failureOf(error: unknown): string | undefined {
  if (error instanceof TimeoutError) return 'Timeout waiting for election results';
  const isDenied = error instanceof KafkaError && error.error === Errors.CLUSTER_AUTHORIZATION_FAILED;
  return isDenied ? 'Not authorized to perform leader election' : undefined;
}
