import { readFileSync } from 'node:fs';
import { topicPartitionKey } from '@klassic/common';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from '@klassic/client';
import type { Admin } from '@klassic/client';
import { logLine, UsageError } from '../tool.ts';
import type { ToolIo } from '../tool.ts';
import type { GroupArguments } from './group-arguments.ts';
import { exportPlan, readDuration, readPlan } from './offset-plan.ts';
import type { PlannedOffset } from './offset-plan.ts';
import { tableLines } from './table.ts';
import { partitionsOf } from './topic-scope.ts';

const scenarios = [
  'to-offset',
  'to-datetime',
  'to-earliest',
  'to-latest',
  'shift-by',
  'to-current',
  'by-duration',
  'from-file',
] as const;

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
    io.err(
      'WARN: No action will be performed as the --execute option is missing.' +
        'In a future major release, the default behavior of this command will be to prompt the user before executing ' +
        'the reset rather than doing a dry run. You should add the --dry-run option explicitly if you are scripting ' +
        'this command and want to keep the current default behavior without prompting.\n',
    );
  }
  const planned: PlannedOffset[] = [];
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
  if (args.export) {
    io.out(`${exportPlan(planned, args.group.length > 1)}\n`);
    return;
  }
  const columns = [
    { heading: 'GROUP', width: 30, value: (row: PlannedOffset) => row.groupId },
    { heading: 'TOPIC', width: 30, value: (row: PlannedOffset) => row.topic },
    { heading: 'PARTITION', width: 10, value: (row: PlannedOffset) => String(row.partition) },
    { heading: 'NEW-OFFSET', width: 15, value: (row: PlannedOffset) => String(row.offset) },
  ];
  io.out(`\n${tableLines(columns, planned, true).join('\n')}\n`);
}

async function newOffsets(
  admin: Admin,
  groupId: string,
  scenario: (typeof scenarios)[number],
  args: GroupArguments,
  io: ToolIo,
): Promise<PlannedOffset[]> {
  const committed = await admin.listGroupOffsets(groupId);
  const file = scenario === 'from-file' ? readPlan(readFileSync(args['from-file']!, 'utf8'), args.group) : [];
  const fromFile = file.filter((row) => row.groupId === groupId);
  const planned = new Map(fromFile.map((row) => [topicPartitionKey(row.topic, row.partition), row.offset]));
  const inScope = args['all-topics'] ? [...committed.values()] : await partitionsOf(admin, args.topic);
  const partitions = scenario === 'from-file' ? fromFile : inScope;
  const ask = async (timestamp: number): Promise<Map<string, number>> => {
    const listed = await admin.listOffsets(partitions.map(({ topic, partition }) => ({ topic, partition, timestamp })));
    return new Map([...listed].map(([key, { offset }]) => [key, offset]));
  };
  const [earliest, latest] = [await ask(EARLIEST_TIMESTAMP), await ask(LATEST_TIMESTAMP)];
  const timestamp = startTime(scenario, args, io);
  const byTime = timestamp === undefined ? new Map<string, number>() : await ask(timestamp);
  return partitions.map(({ topic, partition }) => {
    const key = topicPartitionKey(topic, partition);
    const [first, end, current] = [earliest.get(key)!, latest.get(key)!, committed.get(key)?.offset];
    const within = (offset: number): number => {
      if (offset > end) warnOutside(io, offset, 'higher than latest', key, end);
      else if (offset < first) warnOutside(io, offset, 'lower than earliest', key, first);
      return Math.min(Math.max(offset, first), end);
    };
    const atTime = (): number => (byTime.get(key)! < 0 ? end : byTime.get(key)!);
    const offset = {
      'to-offset': () => within(args['to-offset']!),
      'to-datetime': atTime,
      'by-duration': atTime,
      'from-file': () => within(planned.get(key)!),
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

/** ms since 1970 from which on to read, where the scenario names a time. */
function startTime(scenario: (typeof scenarios)[number], args: GroupArguments, io: ToolIo): number | undefined {
  if (scenario === 'to-datetime') return readDateTime(args['to-datetime']!);
  if (scenario === 'by-duration') return io.time.milliseconds() - readDuration(args['by-duration']!);
  return undefined;
}

function readDateTime(text: string): number {
  const ms = Date.parse(/(Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(ms)) throw new UsageError(`Unparseable date: "${text}"`);
  return ms;
}
