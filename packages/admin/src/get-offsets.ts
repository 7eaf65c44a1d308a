import { topicPartitionKey } from '@klassic/common';
import { Admin } from '@klassic/client';
import type { PartitionInfo } from '@klassic/client';
import { parseArguments, required } from './arguments.ts';
import { clientOptions } from './client-settings.ts';
import { logLine, UsageError } from './tool.ts';
import type { Tool } from './tool.ts';

const options = {
  'bootstrap-server': 'string',
  'broker-list': 'string',
  'max-wait-ms': 'number',
  offsets: 'number',
  partitions: 'string',
  time: 'string',
  topic: 'string',
} as const;

const LATEST = -1;

/** kafka-get-offsets: offsets of a topic's partitions by time. Counterpart of `kafka.tools.GetOffsetShell`. */
export const getOffsetsCommand: Tool = async (argv, io) => {
  const args = parseArguments(argv, options);
  const servers = args['bootstrap-server'] ?? required(args['broker-list'], 'broker-list');
  const topic = required(args.topic, 'topic');
  const timestamp = readTime(args.time);
  const wanted = args.partitions?.split(',').map(readPartition);
  const admin = new Admin(clientOptions(servers, new Map([['client.id', 'GetOffsetShell']])));
  try {
    const info = (await admin.listTopics()).find(({ name }) => name === topic);
    if (info === undefined) {
      io.err(`Topic ${topic} does not exist\n`);
      return 1;
    }
    for (const partition of wanted ?? []) {
      if (info.partitions[partition] === undefined) io.err(`Error: partition ${partition} does not exist\n`);
    }
    const asked = info.partitions.filter(({ partition }) => wanted?.includes(partition) ?? true);
    const led = asked.filter((partition) => hasLeader(partition));
    for (const { partition } of asked.filter((candidate) => !hasLeader(candidate))) {
      io.err(`Error: partition ${partition} does not have a leader. Skip getting offsets\n`);
    }
    const found = await admin.listOffsets(led.map(({ partition }) => ({ topic, partition, timestamp })));
    for (const { partition } of led) {
      const offset = found.get(topicPartitionKey(topic, partition))?.offset ?? -1;
      io.out(`${topic}:${partition}:${offset < 0 ? '' : offset}\n`);
    }
    return 0;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    logLine(io, 'ERROR', (error as Error).message, 'kafka.tools.GetOffsetShell$');
    return 1;
  } finally {
    admin.close();
  }
};

function hasLeader({ leader }: PartitionInfo): boolean {
  return leader >= 0;
}

function readTime(text: string | undefined): number {
  if (text === undefined || text === 'latest') return LATEST;
  if (text === 'earliest') return -2;
  if (!/^-?\d+$/.test(text)) throw new UsageError(`Malformed time argument ${text}`);
  return Number(text);
}

function readPartition(text: string): number {
  if (!/^\d+$/.test(text.trim())) {
    throw new UsageError(`--partitions expects a comma separated list of numeric partition ids, but received: ${text}`);
  }
  return Number(text);
}
