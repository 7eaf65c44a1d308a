import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { SystemTime } from '@klassic/common';
import { batchesOf, buildBatch, buildEndTransactionMarker } from '@klassic/protocol';
import { eventually, freePorts, startZooKeeper } from '@klassic/test-support';
import type { Log, LogManager } from '../src/index.ts';
import { cleanOnce, withManager } from './cleaner-support.ts';
import { describeWithKafka, runKafka, startKafka } from './reference-kafka.ts';
import { withTempDir } from './support.ts';

const TIMEOUT_MS = 240_000;
const RECORDS = 60;
const SETTINGS = { 'segment.bytes': '1500', 'index.interval.bytes': '150' };
const time = new SystemTime();

/** Batches of all kinds in partition 0 of `topic`: compressed, idempotent, transactional, committed and aborted. */
function write(manager: LogManager, topic: string): string[] {
  const log = manager.getOrCreateLog({ topic, partition: 0 }, { isNew: true });
  const committed: string[] = [];
  for (let i = 0; i < RECORDS; i += 1) {
    const value = `value-${i}`;
    const records = [{ timestamp: 1_600_000_000_000 + i, key: Buffer.from(`key-${i % 7}`), value: Buffer.from(value) }];
    const compression = (['none', 'gzip', 'lz4', 'snappy', 'zstd'] as const)[i % 5]!;
    if (i % 10 < 5) {
      log.appendAsLeader(buildBatch({ records, compression }), 0);
      committed.push(value);
      continue;
    }
    const producer = { producerId: 5, producerEpoch: 0 };
    log.appendAsLeader(
      buildBatch({ ...producer, records, compression, isTransactional: true, baseSequence: nextSequence(log) }),
      0,
    );
    const type = i % 10 === 5 ? 'ABORT' : 'COMMIT';
    const marker = { ...producer, type, coordinatorEpoch: 0, timestamp: 1_600_000_000_000 + i } as const;
    log.appendAsLeader(buildEndTransactionMarker(marker), 0, 'Coordinator');
    if (type === 'COMMIT') committed.push(value);
  }
  log.updateHighWatermark(log.logEndOffset);
  return committed;
}

/** The sequence that comes next for the only producer. */
function nextSequence(log: Log): number {
  return (log.activeProducers()[0]?.lastSequence ?? -1) + 1;
}

function filesOf(folder: string): string {
  return readdirSync(folder)
    .filter((name) => /\.(log|index|timeindex|snapshot|txnindex)$/.test(name))
    .map((name) => join(folder, name))
    .join(',');
}

describeWithKafka('the original over what Klassic wrote', () => {
  it.each([
    ['a plain log', false],
    ['a compacted log', true],
  ])(
    'DumpLogSegments finds %s sane',
    async (_name, isCleaned) => {
      await withTempDir(async (dir) => {
        const settings = isCleaned
          ? { ...SETTINGS, 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' }
          : SETTINGS;
        await withManager(dir, settings, time, async (manager) => {
          write(manager, 't');
          if (isCleaned) expect(await cleanOnce(manager)).toBe(true);
        });
        const files = filesOf(join(dir, 't-0'));
        const dump = runKafka('kafka.tools.DumpLogSegments', [
          '--files',
          files,
          '--deep-iteration',
          '--print-data-log',
        ]);
        expect(dump.exit).toBe(0);
        expect(dump.stdout).not.toMatch(/isvalid: false|invalid bytes/);
        expect(dump.stdout).toMatch(/endTxnMarker: COMMIT/);
        if (!isCleaned) expect(dump.stderr.trim()).toMatch(/^(?:Non-consecutive offsets[^]*)?$/);
        expect(dump.stderr).not.toMatch(/Exception/);
        const sanity = runKafka('kafka.tools.DumpLogSegments', ['--files', files, '--index-sanity-check']);
        expect(sanity.exit).toBe(0);
        expect(sanity.stdout).toMatch(/\.timeindex passed sanity check/);
      });
    },
    TIMEOUT_MS,
  );
});

describeWithKafka('a broker of the original on a data directory of Klassic', () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  it(
    'starts, serves what is there, appends, and Klassic goes on from there',
    async () => {
      await withTempDir(async (dir) => {
        let committed: string[] = [];
        const data = join(dir, 'data');
        await withManager(data, SETTINGS, time, (manager) => {
          committed = write(manager, 't');
          return Promise.resolve();
        });
        const zooKeeper = await startZooKeeper();
        ends.push(() => zooKeeper.stop());
        const [port = 0] = await freePorts(1);
        const server = `127.0.0.1:${port}`;
        const properties = join(dir, 'server.properties');
        writeFileSync(
          properties,
          `broker.id=0\nlisteners=PLAINTEXT://${server}\nlog.dirs=${data}\nzookeeper.connect=${zooKeeper.connectString}\n` +
            'offsets.topic.replication.factor=1\nlog.retention.ms=-1\nauto.create.topics.enable=false\n',
        );
        const broker = startKafka('kafka.Kafka', [properties]);
        const gone = new Promise((resolve) => broker.once('exit', resolve));
        ends.push(async () => {
          broker.kill('SIGTERM');
          await gone;
        });
        await eventually(
          () => {
            const create = ['--create', '--topic', 't', '--replica-assignment', '0'];
            const { stdout, stderr } = runKafka('kafka.admin.TopicCommand', ['--bootstrap-server', server, ...create]);
            if (!/Created topic t|already exists/.test(stdout + stderr)) throw new Error(stderr);
            return true;
          },
          { timeoutMs: 90_000 },
        );
        // Of one partition, without a group: a busy machine may take longer to make the offsets topic than anyone waits.
        const consume = ['--bootstrap-server', server, '--topic', 't', '--partition', '0', '--offset', 'earliest'];
        const upTo = ['--max-messages', String(committed.length), '--timeout-ms', '60000'];
        const isolation = ['--isolation-level', 'read_committed'];
        const consumed = runKafka('kafka.tools.ConsoleConsumer', [...consume, ...upTo, ...isolation]);
        expect(consumed.stdout.trim().split('\n')).toEqual(committed);
        const produced = runKafka(
          'kafka.tools.ConsoleProducer',
          ['--bootstrap-server', server, '--topic', 't'],
          'more\n',
        );
        expect(produced.exit).toBe(0);
        broker.kill('SIGTERM');
        await gone;
        await withManager(data, SETTINGS, time, (manager) => {
          const log = manager.getLog({ topic: 't', partition: 0 })!;
          const { records } = log.read(log.logEndOffset - 1, 10_000, 'log_end', true);
          const values = [...batchesOf(records)].flatMap((batch) =>
            [...batch.records()].map(({ value }) => value?.toString()),
          );
          expect(values).toEqual(['more']);
          return Promise.resolve();
        });
      });
    },
    TIMEOUT_MS,
  );
});
