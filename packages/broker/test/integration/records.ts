import { Consumer } from '@klassic/client';
import type { ConsumerRecord } from '@klassic/client';
import type { Codec } from '@klassic/protocol';

/** A record as the tests compare it. */
export interface SeenRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
}

/** `count` records with ten times fewer keys: `key-7` gets `7`, `107`, `207`, … in this order. */
export function keyedRecords(count: number, keys = 100): { key: string; value: string }[] {
  return Array.from({ length: count }, (_, index) => ({ key: `key-${index % keys}`, value: String(index) }));
}

/** Reads a topic from its beginning to its present end, over this project's own client. */
export async function readTopic(
  bootstrapServers: readonly string[],
  topic: string,
  codec: Codec = 'kafka',
): Promise<SeenRecord[]> {
  const consumer = new Consumer({ bootstrapServers, codec, autoOffsetReset: 'earliest', maxPollRecords: 10_000 });
  try {
    const { partitions } = await consumer.partitionsFor(topic);
    const assigned = partitions.map(({ partition }) => ({ topic, partition }));
    consumer.assign(assigned);
    consumer.seekToBeginning();
    const ends = await consumer.endOffsets(assigned);
    let missing = [...ends.values()].reduce((sum, end) => sum + end, 0);
    const seen: SeenRecord[] = [];
    while (missing > 0) {
      const records = await consumer.poll(10_000);
      if (records.length === 0) throw new Error(`${missing} records of ${topic} did not come within ten seconds`);
      missing -= records.length;
      seen.push(...records.map(seenRecord));
    }
    return seen;
  } finally {
    await consumer.close();
  }
}

function seenRecord({ partition, offset, key, value }: ConsumerRecord): SeenRecord {
  return { partition, offset, key: key?.toString('utf8') ?? '', value: value?.toString('utf8') ?? '' };
}

/** Reads what kcat prints with `-f '%p %o %k %s\n'`. */
export function parseKcat(stdout: string): SeenRecord[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [partition, offset, key = '', ...value] = line.split(' ');
      return { partition: Number(partition), offset: Number(offset), key, value: value.join(' ') };
    });
}

export const kcatFormat = '%p %o %k %s\\n';

/** The values of each partition, in the order in which they were read. */
export function valuesByPartition(records: readonly SeenRecord[]): Map<number, string[]> {
  return groupBy(records, ({ partition }) => partition);
}

/** The values of each key, in the order in which they were read. */
export function valuesByKey(records: readonly SeenRecord[]): Map<string, string[]> {
  return groupBy(records, ({ key }) => key);
}

function groupBy<K>(records: readonly SeenRecord[], of: (record: SeenRecord) => K): Map<K, string[]> {
  const groups = new Map<K, string[]>();
  for (const record of records) {
    const group = groups.get(of(record));
    if (group === undefined) groups.set(of(record), [record.value]);
    else group.push(record.value);
  }
  return groups;
}

/**
 * What is wrong with a reading of `keyedRecords`: nothing when each record came exactly once, offsets of a partition rise by
 * one, and a key's records all came from one partition in the order in which they were sent.
 */
export function complaints(sent: readonly { key: string; value: string }[], read: readonly SeenRecord[]): string[] {
  const found: string[] = [];
  if (read.length !== sent.length) found.push(`${sent.length} records were sent, ${read.length} were read`);
  const expected = valuesByKey(sent.map((record) => ({ ...record, partition: 0, offset: 0 })));
  const seen = valuesByKey(read);
  for (const [key, values] of expected) {
    if (seen.get(key)?.join() !== values.join())
      found.push(`${key}: sent ${values.join()}, read ${seen.get(key)?.join()}`);
  }
  const homes = new Map<string, number>();
  const next = new Map<number, number>();
  for (const { key, partition, offset } of read) {
    if ((homes.get(key) ?? partition) !== partition)
      found.push(`${key} is in partitions ${homes.get(key)} and ${partition}`);
    homes.set(key, partition);
    if (offset !== (next.get(partition) ?? offset))
      found.push(`partition ${partition}: ${offset} instead of ${next.get(partition)}`);
    next.set(partition, offset + 1);
  }
  return found;
}
