import type { History } from './history.ts';
import type { LoggedBatch, ReplicaLog } from './replica-log.ts';

/** No more complaints of one kind than this are listed. */
const mostOfAKind = 5;

/**
 * What is wrong with a run, given what was seen and what the replicas have on disk at its end. Nothing is, when
 * - all replicas of a partition hold the same batches, byte for byte,
 * - every acknowledged record is in the log, once, where its producer was told,
 * - the records of one producer stand in each partition in the order in which they were sent,
 * - what consumers ever read at an offset is what stands there,
 * - no epoch had two controllers, and no leader epoch two leaders,
 * and nothing was noted while it ran.
 */
export function judgeRun(history: History, replicas: readonly ReplicaLog[]): string[] {
  const wrong = [...history.violations];
  const byPartition = Map.groupBy(replicas, ({ partition }) => partition);
  const places = new Map<string, { partition: number; offset: number }>();
  for (const [partition, logs] of [...byPartition].sort(([one], [other]) => one - other)) {
    const [first, ...others] = logs;
    for (const other of others) wrong.push(...differences(first!, other));
    const records = first!.batches.flatMap(({ records }) => records);
    wrong.push(...limited(`partition ${partition}`, orderOf(records, places, partition)));
    const values = new Map(records.map(({ offset, value }) => [offset, value]));
    const misread = [...(history.read.get(partition) ?? [])].filter(([offset, value]) => values.get(offset) !== value);
    wrong.push(
      ...limited(
        `partition ${partition}`,
        misread.map(
          ([offset, value]) => `${value} was read at offset ${offset}, where ${values.get(offset) ?? 'nothing'} stands`,
        ),
      ),
    );
    wrong.push(...limited(`partition ${partition}`, epochsOf(first!.batches)));
  }
  const lost: string[] = [];
  for (const [value, { partition, offset }] of history.acknowledged) {
    const place = places.get(value);
    if (place === undefined) lost.push(`${value} was acknowledged at offset ${offset} and is lost`);
    else if (place.partition !== partition || (offset >= 0 && place.offset !== offset)) {
      lost.push(`${value} was acknowledged at ${partition}/${offset} and stands at ${place.partition}/${place.offset}`);
    }
  }
  wrong.push(...limited('acknowledged records', lost));
  wrong.push(
    ...pairs('controller epoch', 'controllers', history.controllers),
    ...pairs('leader epoch', 'leaders', history.leaders),
  );
  return wrong;
}

/** Where two replicas of a partition differ first. */
function differences(one: ReplicaLog, other: ReplicaLog): string[] {
  const count = Math.max(one.batches.length, other.batches.length);
  for (let index = 0; index < count; index += 1) {
    const [mine, theirs] = [one.batches[index], other.batches[index]];
    if (mine !== undefined && theirs !== undefined && mine.bytes.equals(theirs.bytes)) continue;
    return [
      `partition ${one.partition}: broker ${one.broker} has ${tellBatch(mine)}, broker ${other.broker} has ${tellBatch(theirs)}`,
    ];
  }
  return [];
}

function tellBatch(batch: LoggedBatch | undefined): string {
  if (batch === undefined) return 'no more';
  const { baseOffset, records, leaderEpoch } = batch;
  return `at offset ${baseOffset} ${records.length} records from ${records[0]?.value} on in leader epoch ${leaderEpoch}`;
}

/** Notes where each value stands, and complains of those that stand twice or after a later one of their producer. */
function orderOf(
  records: readonly { offset: number; value: string }[],
  places: Map<string, { partition: number; offset: number }>,
  partition: number,
): string[] {
  const found: string[] = [];
  const last = new Map<string, number>();
  let next = records[0]?.offset ?? 0;
  for (const { offset, value } of records) {
    if (offset !== next) found.push(`offset ${offset} follows ${next - 1}`);
    next = offset + 1;
    const [producer = '', , count] = value.split(':');
    const before = last.get(producer) ?? -1;
    if (places.has(value)) found.push(`${value} stands at offset ${places.get(value)!.offset} and at ${offset}`);
    else if (Number(count) <= before)
      found.push(`${value} at offset ${offset} follows number ${before} of its producer`);
    last.set(producer, Math.max(before, Number(count)));
    if (!places.has(value)) places.set(value, { partition, offset });
  }
  return found;
}

function epochsOf(batches: readonly LoggedBatch[]): string[] {
  return batches
    .slice(1)
    .filter(({ leaderEpoch }, index) => leaderEpoch < batches[index]!.leaderEpoch)
    .map(({ baseOffset, leaderEpoch }) => `leader epoch ${leaderEpoch} at offset ${baseOffset} follows a greater one`);
}

function pairs(what: string, who: string, seen: ReadonlyMap<number | string, ReadonlySet<number>>): string[] {
  return [...seen]
    .filter(([, brokers]) => brokers.size > 1)
    .map(([epoch, brokers]) => `${what} ${epoch} had ${brokers.size} ${who}: ${[...brokers].sort().join()}`);
}

function limited(subject: string, lines: readonly string[]): string[] {
  const more = lines.length - mostOfAKind;
  const shown = lines.slice(0, mostOfAKind).map((line) => `${subject}: ${line}`);
  return more > 0 ? [...shown, `${subject}: … and ${more} more of this kind`] : shown;
}
