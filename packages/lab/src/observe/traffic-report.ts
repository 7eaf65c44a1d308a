import type { TrafficEvent } from './traffic.ts';

interface PartitionTally {
  readonly acknowledged: Set<number>;
  readonly read: Map<number, number>;
  lastOffset: number;
  lastValue: number;
  inOrder: boolean;
  longestWaitMs: number;
}

export interface TrafficReport {
  readonly lines: readonly string[];
  /** Records acknowledged and not read back (yet). */
  readonly unread: number;
}

/** What the clients saw: by partition what was acknowledged and read, how long the longest acknowledgement took, and every trouble by name. */
export function reportTraffic(events: readonly TrafficEvent[]): TrafficReport {
  const tallies = new Map<number, PartitionTally>();
  const troubles = new Map<string, number>();
  let failed = 0;
  const tallyOf = (partition: number): PartitionTally => {
    let tally = tallies.get(partition);
    if (tally === undefined) {
      tally = {
        acknowledged: new Set(),
        read: new Map(),
        lastOffset: -1,
        lastValue: -1,
        inOrder: true,
        longestWaitMs: 0,
      };
      tallies.set(partition, tally);
    }
    return tally;
  };
  for (const event of events) {
    switch (event.kind) {
      case 'sent': {
        const tally = tallyOf(event.partition);
        tally.acknowledged.add(event.value);
        tally.longestWaitMs = Math.max(tally.longestWaitMs, event.waitedMs);
        break;
      }
      case 'read':
        readInto(tallyOf(event.partition), event.value, event.offset);
        break;
      case 'failed':
        failed += 1;
        break;
      case 'trouble': {
        const name = `${event.client}: ${withoutAddress(event.error)}`;
        troubles.set(name, (troubles.get(name) ?? 0) + 1);
        break;
      }
    }
  }
  return write(tallies, troubles, failed);
}

function readInto(tally: PartitionTally, value: number, offset: number): void {
  // A group that rebalances may be given offsets again: they tell nothing new.
  if (offset <= tally.lastOffset) return;
  // A retried send may have written the same value again, next to the first; a smaller one must never follow.
  if (value < tally.lastValue) tally.inOrder = false;
  tally.read.set(value, (tally.read.get(value) ?? 0) + 1);
  tally.lastOffset = offset;
  tally.lastValue = value;
}

function write(tallies: Map<number, PartitionTally>, troubles: Map<string, number>, failed: number): TrafficReport {
  const lines: string[] = [];
  let acknowledged = 0;
  let read = 0;
  let unread = 0;
  let twice = 0;
  for (const [partition, tally] of [...tallies].sort(([a], [b]) => a - b)) {
    const missing = [...tally.acknowledged].filter((value) => !tally.read.has(value)).length;
    const doubled = [...tally.read.values()].filter((times) => times > 1).length;
    acknowledged += tally.acknowledged.size;
    read += tally.read.size;
    unread += missing;
    twice += doubled;
    lines.push(
      `partition ${partition}: ${tally.acknowledged.size} acknowledged, ${missing} of them not read, ` +
        `longest wait ${(tally.longestWaitMs / 1000).toFixed(1)} s, ${tally.inOrder ? 'in order' : 'OUT OF ORDER'}`,
    );
  }
  for (const [name, count] of [...troubles].sort((a, b) => b[1] - a[1])) lines.push(`seen by the ${name} (× ${count})`);
  lines.push(
    `acknowledged ${acknowledged}, read ${read}, read twice ${twice}, sends given up ${failed}, not read ${unread}`,
  );
  return { lines, unread };
}

function withoutAddress(error: string): string {
  return error.replace(/\s*\(?\b\d+\.\d+\.\d+\.\d+:\d+\)?/g, '').trim();
}
