import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from '@klassic/client';
import type { Admin } from '@klassic/client';
import { Errors, KafkaError } from '@klassic/protocol';
import { logLine, UsageError } from '../tool.ts';
import type { ToolIo } from '../tool.ts';
import type { GroupArguments } from './group-arguments.ts';
import { tableLines } from './table.ts';

interface NewOffset extends TopicPartition {
  readonly groupId: string;
  readonly offset: number;
}

const scenarios = ['to-offset', 'to-datetime', 'to-earliest', 'to-latest', 'shift-by', 'to-current'] as const;

/** `--reset-offsets`: where a group without members is to go on reading; written only with `--execute`. */
export async function resetOffsets(
  admin: Admin,
  groupIds: readonly string[],
  args: GroupArguments,
  io: ToolIo,
): Promise<void> {
  const chosen = scenarios.filter((scenario) => args.given.includes(scenario));
  if (chosen.length !== 1) {
    throw new UsageError(
      `One of the reset scenarios should be defined: ${scenarios.map((scenario) => `--${scenario}`).join(', ')}.`,
    );
  }
  if (!args.execute && !args['dry-run']) {
    io.err('WARN: No action will be performed as the --execute option is missing.\n');
  }
  const planned: NewOffset[] = [];
  for (const groupId of groupIds) {
    const { state } = await admin.describeGroup(groupId);
    if (state !== 'Empty' && state !== 'Dead') {
      io.out(
        `\nError: Assignments can only be reset if the group '${groupId}' is inactive, but the current state is ${state}.\n`,
      );
      continue;
    }
    const offsets = await newOffsets(admin, groupId, chosen[0]!, args, io);
    if (args.execute) await admin.alterGroupOffsets(groupId, offsets);
    planned.push(...offsets);
  }
  const columns = [
    { heading: 'GROUP', width: 30, value: (row: NewOffset) => row.groupId },
    { heading: 'TOPIC', width: 30, value: (row: NewOffset) => row.topic },
    { heading: 'PARTITION', width: 10, value: (row: NewOffset) => String(row.partition) },
    { heading: 'NEW-OFFSET', width: 15, value: (row: NewOffset) => String(row.offset) },
  ];
  io.out(`\n${tableLines(columns, planned, true).join('\n')}\n`);
}

async function newOffsets(
  admin: Admin,
  groupId: string,
  scenario: (typeof scenarios)[number],
  args: GroupArguments,
  io: ToolIo,
): Promise<NewOffset[]> {
  const committed = await admin.listGroupOffsets(groupId);
  const partitions = args['all-topics'] ? [...committed.values()] : await partitionsOf(admin, args.topic);
  const ask = async (timestamp: number): Promise<Map<string, number>> => {
    const listed = await admin.listOffsets(partitions.map(({ topic, partition }) => ({ topic, partition, timestamp })));
    return new Map([...listed].map(([key, { offset }]) => [key, offset]));
  };
  const [earliest, latest] = [await ask(EARLIEST_TIMESTAMP), await ask(LATEST_TIMESTAMP)];
  const byTime = scenario === 'to-datetime' ? await ask(readDateTime(args['to-datetime']!)) : new Map<string, number>();
  return partitions.map(({ topic, partition }) => {
    const key = topicPartitionKey(topic, partition);
    const [first, end, current] = [earliest.get(key)!, latest.get(key)!, committed.get(key)?.offset];
    const within = (offset: number): number => {
      if (offset > end) warnOutside(io, offset, 'higher than latest', key, end);
      else if (offset < first) warnOutside(io, offset, 'lower than earliest', key, first);
      return Math.min(Math.max(offset, first), end);
    };
    const offset = {
      'to-offset': () => within(args['to-offset']!),
      'to-datetime': () => (byTime.get(key)! < 0 ? end : byTime.get(key)!),
      'to-earliest': () => first,
      'to-latest': () => end,
      'shift-by': () => within((current ?? end) + args['shift-by']!),
      'to-current': () => current ?? end,
    }[scenario]();
    return { groupId, topic, partition, offset };
  });
}

function warnOutside(io: ToolIo, offset: number, how: string, key: string, instead: number): void {
  logLine(
    io,
    'WARN',
    `New offset (${offset}) is ${how} offset for topic partition ${key}. Value will be set to ${instead}`,
    'kafka.admin.ConsumerGroupCommand$',
  );
}

/** Reads `topic` and `topic:0,1`. */
async function partitionsOf(admin: Admin, specs: readonly string[]): Promise<TopicPartition[]> {
  const topics = new Map((await admin.listTopics()).map((topic) => [topic.name, topic]));
  return specs.flatMap((spec) => {
    const [topic = '', numbers] = spec.split(':');
    if (numbers !== undefined && !/^\d+(,\d+)*$/.test(numbers)) {
      throw new UsageError(`Invalid topic specification: ${spec}`);
    }
    const info = topics.get(topic);
    if (info === undefined) throw new KafkaError(Errors.UNKNOWN_TOPIC_OR_PARTITION);
    const partitions = numbers?.split(',').map(Number) ?? info.partitions.map(({ partition }) => partition);
    return partitions.map((partition) => ({ topic, partition }));
  });
}

function readDateTime(text: string): number {
  const ms = Date.parse(/(Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(ms)) throw new UsageError(`Unparseable date: "${text}"`);
  return ms;
}
