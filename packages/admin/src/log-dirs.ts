import { Admin } from '@klassic/client';
import type { LogDirInfo } from '@klassic/client';
import { inHashOrder, stringHash, topicPartitionHash, topicPartitionKey } from '@klassic/common';
import { parseArguments, requireOptions, required } from './arguments.ts';
import { clientOptions, readProperties } from './client-settings.ts';
import { javaClass } from './java-text.ts';
import { UsageError } from './tool.ts';
import type { Tool } from './tool.ts';

const options = {
  'bootstrap-server': 'string',
  'broker-list': 'string',
  'command-config': 'string',
  describe: 'flag',
  'topic-list': 'string',
} as const;

/** kafka-log-dirs: what lies in each log dir of each broker. Counterpart of `kafka.admin.LogDirsCommand`. */
export const logDirsCommand: Tool = async (argv, io) => {
  const args = parseArguments(argv, options);
  if (argv.length === 0) {
    throw new UsageError('This tool helps to query log directory usage on the specified brokers.');
  }
  requireOptions(args.given, 'bootstrap-server', 'describe');
  const settings =
    args['command-config'] === undefined ? new Map<string, string>() : readProperties(args['command-config']);
  const given = new Map([['client.id', 'log-dirs-tool'], ...settings]);
  const topics = (args['topic-list'] ?? '').split(',').filter((topic) => topic !== '');
  const wanted = (args['broker-list'] ?? '').split(',').filter((id) => id !== '');
  const admin = new Admin(clientOptions(required(args['bootstrap-server'], 'bootstrap-server'), given));
  try {
    const brokers =
      wanted.length > 0
        ? wanted.map(readBrokerId)
        : [...(await admin.describeCluster()).nodes.keys()].sort((a, b) => a - b);
    io.out('Querying brokers for log directories information\n');
    const infos = await Promise.all(brokers.map((id) => admin.describeLogDirs(id)));
    io.out(`Received log directory information from brokers ${brokers.join(',')}\n`);
    io.out(`${formatLogDirs(new Map(brokers.map((id, at) => [id, infos[at]!])), topics)}\n`);
    return 0;
  } finally {
    admin.close();
  }
};

/** @param topics that are told of; all when empty */
export function formatLogDirs(infos: ReadonlyMap<number, readonly LogDirInfo[]>, topics: readonly string[]): string {
  return JSON.stringify({
    version: 1,
    brokers: [...infos].map(([broker, logDirs]) => ({
      broker,
      logDirs: inHashOrder(logDirs, ({ path }) => stringHash(path)).map(({ path, error, replicas }) => ({
        logDir: path,
        error: error === null ? null : javaClass(error),
        partitions: inHashOrder(
          replicas.filter(({ topic }) => topics.length === 0 || topics.includes(topic)),
          ({ topic, partition }) => topicPartitionHash(topic, partition),
        ).map(({ topic, partition, size, offsetLag, isFuture }) => ({
          partition: topicPartitionKey(topic, partition),
          size,
          offsetLag,
          isFuture,
        })),
      })),
    })),
  });
}

function readBrokerId(text: string): number {
  if (!/^\d+$/.test(text.trim())) throw new UsageError(`For input string: "${text}"`);
  return Number(text);
}
