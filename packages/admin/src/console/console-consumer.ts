import { nextInt, SystemRandom } from '@klassic/common';
import { Consumer } from '@klassic/client';
import type { ConsumerOptions } from '@klassic/client';
import { parseArguments, parsePairs } from '../arguments.ts';
import type { Arguments } from '../arguments.ts';
import { clientOptions, readProperties } from '../client-settings.ts';
import { logLine, UsageError } from '../tool.ts';
import type { Tool, ToolIo } from '../tool.ts';
import { topicMatcher } from '../topics/topic-filter.ts';
import { DefaultMessageFormatter } from './message-formatter.ts';

const options = {
  'bootstrap-server': 'string',
  'consumer-property': 'strings',
  'consumer.config': 'string',
  'enable-systest-events': 'flag',
  formatter: 'string',
  'from-beginning': 'flag',
  group: 'string',
  include: 'string',
  'isolation-level': 'string',
  'key-deserializer': 'string',
  'max-messages': 'number',
  offset: 'string',
  partition: 'number',
  property: 'strings',
  'skip-message-on-error': 'flag',
  'timeout-ms': 'number',
  topic: 'string',
  'value-deserializer': 'string',
  whitelist: 'string',
} as const;

type ConsumerArguments = Arguments<typeof options>;

const LOGGER = 'kafka.tools.ConsoleConsumer$';
/** How often it looks whether it is to stop, in milliseconds. */
const POLL_MS = 500;
const INTERRUPTED = 130;

/** kafka-console-consumer: writes records to standard output. Counterpart of `kafka.tools.ConsoleConsumer`. */
export const consoleConsumerCommand: Tool = async (argv, io) => {
  const args = parseArguments(argv, options);
  const pattern = checkArguments(args);
  const consumer = new Consumer(consumerOptions(args));
  const formatter = new DefaultMessageFormatter(parsePairs(args.property));
  let count: number;
  try {
    await begin(consumer, args, pattern);
    count = await copyRecords(consumer, formatter, args, io);
  } finally {
    await consumer.close();
  }
  io.err(`Processed a total of ${count} messages\n`);
  return io.signal.aborted ? INTERRUPTED : 0;
};

/** @returns the pattern of topics, where one is given instead of a topic */
function checkArguments(args: ConsumerArguments): string | undefined {
  const patterns = [args.include, args.whitelist].filter((pattern) => pattern !== undefined);
  if (patterns.length + (args.topic === undefined ? 0 : 1) !== 1) {
    throw new UsageError('Exactly one of whitelist/topic is required.');
  }
  if (args['bootstrap-server'] === undefined) {
    throw new UsageError('Missing required argument "[bootstrap-server]"');
  }
  if (args.partition !== undefined && args.topic === undefined) {
    throw new UsageError('The topic is required when partition is specified.');
  }
  if (args.offset !== undefined && args.partition === undefined) {
    throw new UsageError('The partition is required when offset is specified.');
  }
  if (args.offset !== undefined && args['from-beginning']) {
    throw new UsageError('options from-beginning and offset cannot be specified together.');
  }
  if (args.offset !== undefined && !/^(earliest|latest|\d+)$/i.test(args.offset)) {
    throw new UsageError(
      `The provided offset value '${args.offset}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.`,
    );
  }
  if (args.formatter !== undefined && args.formatter !== 'kafka.tools.DefaultMessageFormatter') {
    throw new UsageError(`Formatter ${args.formatter} is not known here: only kafka.tools.DefaultMessageFormatter is.`);
  }
  return patterns[0];
}

function consumerOptions(args: ConsumerArguments): ConsumerOptions {
  const settings = new Map([
    ...(args['consumer.config'] === undefined ? [] : readProperties(args['consumer.config'])),
    ...parsePairs(args['consumer-property']),
  ]);
  const groups = new Set([args.group, settings.get('group.id')].filter((group) => group !== undefined));
  if (groups.size > 1) {
    throw new UsageError(
      `The group ids provided in different places (directly using '--group', via '--consumer-property', or via '--consumer.config') do not match. Detected group ids: ${[...groups].map((group) => `'${group}'`).join(', ')}`,
    );
  }
  const [group] = groups;
  if (group === undefined) {
    // An id of chance, whose offsets nobody will ask for again.
    settings.set('group.id', `console-consumer-${nextInt(new SystemRandom(), 100_000)}`);
    if (!settings.has('enable.auto.commit')) settings.set('enable.auto.commit', 'false');
    if (args['from-beginning']) settings.set('auto.offset.reset', 'earliest');
  } else {
    settings.set('group.id', group);
    if (args['from-beginning']) settings.set('auto.offset.reset', 'earliest');
  }
  if (!settings.has('client.id')) settings.set('client.id', `consumer-${settings.get('group.id')}-1`);
  if (args['isolation-level'] !== undefined) settings.set('isolation.level', args['isolation-level']);
  return clientOptions(args['bootstrap-server']!, settings);
}

async function begin(consumer: Consumer, args: ConsumerArguments, pattern: string | undefined): Promise<void> {
  if (pattern !== undefined) {
    const matches = topicMatcher(pattern);
    const names = [...(await consumer.listTopics()).values()].filter(({ isInternal }) => !isInternal);
    consumer.subscribe(names.map(({ name }) => name).filter(matches));
    return;
  }
  const topic = args.topic!;
  if (args.partition === undefined) {
    consumer.subscribe([topic]);
    return;
  }
  const partition = { topic, partition: args.partition };
  consumer.assign([partition]);
  const offset = args.offset?.toLowerCase() ?? (args['from-beginning'] ? 'earliest' : 'latest');
  if (offset === 'earliest') consumer.seekToBeginning();
  else if (offset === 'latest') consumer.seekToEnd();
  else consumer.seek(partition, Number(offset));
}

async function copyRecords(
  consumer: Consumer,
  formatter: DefaultMessageFormatter,
  args: ConsumerArguments,
  io: ToolIo,
): Promise<number> {
  const limit = args['max-messages'] ?? -1;
  const timeoutMs = args['timeout-ms'] ?? -1;
  let count = 0;
  let heardHiResMs = io.time.hiResMs();
  io.signal.addEventListener('abort', () => {
    consumer.wakeup();
  });
  while (!io.signal.aborted && count !== limit) {
    const leftMs = timeoutMs < 0 ? POLL_MS : timeoutMs - (io.time.hiResMs() - heardHiResMs);
    if (leftMs <= 0) {
      logLine(io, 'ERROR', 'Error processing message, terminating consumer process: ', LOGGER);
      io.err('org.apache.kafka.common.errors.TimeoutException\n');
      break;
    }
    const records = await consumer.poll(Math.min(leftMs, POLL_MS));
    if (records.length > 0) heardHiResMs = io.time.hiResMs();
    const wanted = limit < 0 ? records : records.slice(0, limit - count);
    if (wanted.length > 0) io.out(Buffer.concat(wanted.map((record) => formatter.format(record))));
    count += wanted.length;
    if (wanted.length < records.length) {
      // What was read beyond the limit must not count as consumed by the group.
      for (const { topic, partition, offset } of records.slice(wanted.length).toReversed()) {
        consumer.seek({ topic, partition }, offset);
      }
    }
  }
  return count;
}
