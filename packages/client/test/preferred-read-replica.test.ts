import { afterEach, describe, expect, it } from '@jest/globals';
import { Errors } from '@klassic/protocol';
import { Consumer, TimeoutError } from '../src/index.ts';
import type { ConsumerOptions } from '../src/index.ts';
import { FakeCluster } from './fake-broker.ts';
import { FakeEpochLog } from './fake-epoch-log.ts';

const p0 = { topic: 't', partition: 0 };

const opened: { stop?(): Promise<void>; close?(): Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) {
    await thing.close?.();
    await thing.stop?.();
  }
});

/** A consumer of partition 0, which broker 0 leads; consumers in rack b are sent to broker 1. */
async function start(options: Partial<ConsumerOptions> = {}) {
  const log = new FakeEpochLog();
  log.append(0, 'a');
  log.preferredReadReplica = 1;
  const cluster = await FakeCluster.start(log.handlers, 3);
  const consumer = new Consumer({
    bootstrapServers: [cluster.bootstrapServers[0]!],
    retryBackoffMs: 10,
    autoOffsetReset: 'none',
    clientRack: 'b',
    ...options,
  });
  opened.push(cluster, consumer);
  consumer.assign([p0]);
  consumer.seek(p0, 0);
  return { cluster, consumer, log };
}

async function next(consumer: Consumer, log: FakeEpochLog, value: string): Promise<number> {
  const seen = log.fetches.length;
  log.append(0, value);
  const records = await consumer.poll(10_000);
  expect(records.map((record) => String(record.value))).toEqual([value]);
  return seen;
}

/** Which brokers were asked, from the `from`th fetch on; the same broker one after the other counts once. */
function asked(log: FakeEpochLog, from = 0): number[] {
  const brokers = log.fetches.slice(from).map(({ broker }) => broker);
  return brokers.filter((broker, index) => broker !== brokers[index - 1]);
}

describe('A consumer with a rack (KIP-392)', () => {
  it('reads from the replica that the leader names, until told otherwise', async () => {
    const { consumer, log } = await start();
    expect(await consumer.poll(10_000)).toHaveLength(1);
    await next(consumer, log, 'b');
    await next(consumer, log, 'c');
    expect(asked(log)).toEqual([0, 1]);
    expect(log.fetches[0]).toMatchObject({ broker: 0, rackId: 'b' });
    expect(log.fetches[1]).toMatchObject({ broker: 1, rackId: 'b', currentLeaderEpoch: 0 });
  });

  it('reads from the leader without one', async () => {
    const { consumer, log } = await start({ clientRack: '' });
    expect(await consumer.poll(10_000)).toHaveLength(1);
    await next(consumer, log, 'b');
    expect(asked(log)).toEqual([0]);
  });

  it.each([Errors.OFFSET_OUT_OF_RANGE, Errors.NOT_LEADER_OR_FOLLOWER, Errors.REPLICA_NOT_AVAILABLE])(
    'goes back to the leader when the replica answers $name, and is sent there again',
    async ({ code }) => {
      const { consumer, log } = await start();
      await consumer.poll(10_000);
      const [values, seen] = [['b', 'c'], log.fetches.length];
      log.followerError = code;
      log.preferredReadReplica = -1;
      for (const value of values) await next(consumer, log, value);
      expect(asked(log, seen).slice(-2)).toEqual([1, 0]);
      log.followerError = 0;
      log.preferredReadReplica = 2;
      const later = log.fetches.length;
      await next(consumer, log, 'd');
      await next(consumer, log, 'e');
      expect(asked(log, later).slice(-2)).toEqual([0, 2]);
    },
  );

  it('takes an offset for gone only when the leader says so', async () => {
    const { consumer, log } = await start();
    await consumer.poll(10_000);
    log.truncate(0);
    await expect(consumer.poll(10_000)).rejects.toMatchObject({ error: Errors.OFFSET_OUT_OF_RANGE });
    expect(asked(log).slice(-2)).toEqual([1, 0]);
  });

  it('goes back to the leader when metadata tell that the replica is offline', async () => {
    const { cluster, consumer, log } = await start({ defaultApiTimeoutMs: 50 });
    await consumer.poll(10_000);
    await next(consumer, log, 'b');
    cluster.offline.add(1);
    log.preferredReadReplica = -1;
    // Asks for metadata, and again with each poll.
    await expect(consumer.partitionsFor('not-there')).rejects.toThrow(TimeoutError);
    await consumer.poll(50);
    const seen = log.fetches.length;
    await next(consumer, log, 'c');
    expect(asked(log, seen)).toEqual([0]);
  });

  it('goes back to the leader when the replica does not answer any more', async () => {
    const { cluster, consumer, log } = await start();
    await consumer.poll(10_000);
    await next(consumer, log, 'b');
    log.preferredReadReplica = -1;
    await cluster.brokers[1]!.server.shutdown();
    const seen = log.fetches.length;
    await next(consumer, log, 'c');
    expect(asked(log, seen)).toEqual([0]);
  });

  it('asks the leader again after metadata.max.age.ms', async () => {
    const { consumer, log } = await start({ metadataMaxAgeMs: 100 });
    await consumer.poll(10_000);
    log.preferredReadReplica = 2;
    const deadline = Date.now() + 10_000;
    while (!asked(log).includes(2) && Date.now() < deadline) await consumer.poll(20);
    expect(asked(log)).toEqual([0, 1, 0, 2]);
  });
});
