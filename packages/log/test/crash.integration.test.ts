import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MockTime, SeededRandom, silentLoggers } from '@klassic/common';
import { batchesOf, buildBatch } from '@klassic/protocol';
import { LogManager } from '../src/index.ts';
import type { Log } from '../src/index.ts';
import { withTempDir } from './support.ts';

const CHILD = join(import.meta.dirname, 'crash-child.ts');
const PRODUCER_ID = 7;
const TIMEOUT_MS = 60_000;

/** Where the child kills itself: the operation, what it is done to, and the how manieth time. A write is torn. */
const POINTS: [what: string, operation: string, pattern: string, occurrences: number[]][] = [
  ['an append', 'write', '\\d\\.log$', [1, 24, 53]],
  ['the first write of the leader epochs', 'write', 'leader-epoch-checkpoint', [1, 2]],
  ['the making of a segment', 'create', '\\d\\.log$', [1, 4]],
  ['the making of an index', 'create', '\\d\\.index$', [2]],
  ['the trimming of an index', 'truncate', '\\d\\.index$', [2]],
  ['a write of an index', 'write', '\\d\\.timeindex$', [1, 3]],
  ['a snapshot of the producers', 'write', '\\.snapshot$', [1, 5]],
  ['a checkpoint of recovery points', 'rename', 'recovery-point-offset-checkpoint$', [2]],
  ['the writing of a cleaned segment', 'write', '\\.log\\.cleaned$', [1, 3]],
  ['the swap of a .log', 'rename', '\\.log\\.swap$', [1, 3]],
  ['the swap of an .index', 'rename', '\\.index\\.swap$', [1, 4]],
  ['the swap of a .timeindex', 'rename', '\\.timeindex\\.swap$', [2]],
  ['the retirement of a .log', 'rename', '\\.log\\.deleted$', [1, 2, 5]],
  ['the retirement of an .index', 'rename', '\\.index\\.deleted$', [2]],
  ['the last step of a swap', 'rename', '\\.log\\.swap to .*\\.log$', [1, 3]],
  ['the last step of a swap, its index', 'rename', '\\.index\\.swap to .*\\.index$', [1, 2]],
  ['the deletion of a .log', 'unlink', '\\.log\\.deleted$', [1, 3]],
  ['the deletion of an .index', 'unlink', '\\.index\\.deleted$', [1]],
  ['the checkpoint of the cleaner', 'rename', 'cleaner-offset-checkpoint$', [1, 2]],
];

interface Run {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly stderr: string;
  /** Latest acknowledged value and its offset, by key. */
  readonly acknowledged: Map<string, { offset: number; value: string }>;
  readonly last: number;
}

function runChild(dir: string, operation: string, pattern: string, occurrence: number): Promise<Run> {
  return new Promise((resolve, reject) => {
    const args = ['--conditions=klassic-source', '--no-warnings', CHILD, dir, operation, pattern, String(occurrence)];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const acknowledged = new Map<string, { offset: number; value: string }>();
      let last = -1;
      for (const line of stdout.split('\n').slice(0, -1)) {
        const [offset, key, value] = line.split(' ');
        last = Number(offset);
        acknowledged.set(key!, { offset: last, value: value! });
      }
      resolve({ signal, code, stderr, acknowledged, last });
    });
  });
}

function readAll(log: Log): Map<string, { offset: number; value: string }> {
  const found = new Map<string, { offset: number; value: string }>();
  for (let offset = log.logStartOffset; offset < log.logEndOffset;) {
    const { records } = log.read(offset, 1, 'log_end', true);
    if (records.length === 0) break;
    for (const batch of batchesOf(records)) {
      batch.ensureValid();
      expect(batch.lastOffset).toBeGreaterThanOrEqual(offset);
      offset = batch.nextOffset;
      for (const record of batch.records()) {
        found.set(record.key!.toString(), { offset: record.offset, value: record.value!.toString() });
      }
    }
  }
  return found;
}

/** Opens what the crash left, as a restarted broker would, and compares it with what was acknowledged. */
async function check(dir: string, run: Run): Promise<void> {
  const manager = new LogManager({
    logDirs: [dir],
    brokerDefaults: { 'log.cleaner.enable': 'false' },
    topicConfigs: () => ({ 'segment.bytes': '1000' }),
    time: new MockTime(),
    random: new SeededRandom(1),
    loggers: silentLoggers,
  });
  await manager.startup();
  const log = manager.getLog({ topic: 't', partition: 0 });
  if (log === undefined) {
    expect(run.last).toBe(-1);
    await manager.shutdown();
    return;
  }
  expect(log.logEndOffset).toBeGreaterThanOrEqual(run.last + 1);
  expect(log.logEndOffset).toBeLessThanOrEqual(run.last + 2);
  const found = readAll(log);
  for (const [key, { offset, value }] of run.acknowledged) {
    const record = found.get(key);
    // The one append that was not acknowledged may be there.
    if (record?.offset === run.last + 1) continue;
    expect({ key, ...record }).toEqual({ key, offset, value });
  }
  const leftovers = readdirSync(log.dir).filter((name) => /\.(cleaned|swap)$/.test(name));
  expect(leftovers).toEqual([]);
  if (log.logEndOffset > 0) {
    const record = { timestamp: 1, key: Buffer.from('again'), value: null };
    const producer = { producerId: PRODUCER_ID, producerEpoch: 0, baseSequence: log.logEndOffset - 1 };
    const repeated = log.appendAsLeader(buildBatch({ ...producer, records: [record] }), log.latestEpoch ?? 0);
    expect(repeated.duplicate).toBe(true);
  }
  await manager.shutdown();
}

describe('a log after kill -9', () => {
  for (const [what, operation, pattern, occurrences] of POINTS) {
    it(
      `has what was acknowledged: in ${what}`,
      async () => {
        for (const occurrence of occurrences) {
          await withTempDir(async (dir) => {
            const run = await runChild(dir, operation, pattern, occurrence);
            expect({ occurrence, signal: run.signal, stderr: run.stderr }).toEqual({
              occurrence,
              signal: 'SIGKILL',
              stderr: '',
            });
            await check(dir, run);
          });
        }
      },
      TIMEOUT_MS,
    );
  }

  it(
    'has all of it when nothing comes between',
    async () => {
      await withTempDir(async (dir) => {
        const run = await runChild(dir, 'none', 'none', 1);
        expect(run.code).toBe(0);
        await check(dir, run);
      });
    },
    TIMEOUT_MS,
  );
});
