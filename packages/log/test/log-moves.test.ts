import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MockTime } from '@klassic/common';
import { KafkaStorageError } from '../src/index.ts';
import type { Log, LogManager, LogManagerOptions } from '../src/index.ts';
import { cleanerOf, cleanOnce } from './cleaner-support.ts';
import { newManager, records, standInTheWay, withTempDir } from './support.ts';

const T0 = { topic: 't', partition: 0 };
const FUTURE = /^t-0\.[0-9a-f]{32}-future$/;

interface Moving {
  readonly manager: LogManager;
  readonly time: MockTime;
  readonly a: string;
  readonly b: string;
  readonly current: Log;
  readonly future: Log;
}

/** A partition of five records (three committed) in log dir `a`, with an empty future log in `b`. */
async function withMove(
  use: (moving: Moving) => Promise<void>,
  options: Partial<LogManagerOptions> = {},
): Promise<void> {
  await withTempDir(async (dir) => {
    const time = new MockTime();
    const [a, b] = [join(dir, 'a'), join(dir, 'b')];
    const manager = newManager([a, b], time, options);
    // Cleaning is done by hand here.
    cleanerOf(manager).startup = () => undefined;
    await manager.startup();
    const current = manager.getOrCreateLog(T0, { isNew: true });
    current.appendAsLeader(records(5, 1, 'k'), 2);
    current.updateHighWatermark(3);
    manager.maybeUpdatePreferredLogDir(T0, b);
    const future = manager.getOrCreateLog(T0, { isFuture: true });
    try {
      await use({ manager, time, a, b, current, future });
    } finally {
      await manager.shutdown();
    }
  });
}

function copy(from: Log, to: Log): void {
  to.appendAsFollower(from.read(to.logEndOffset, 1_000_000, 'log_end', true).records);
}

function foldersOf(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.startsWith('t-0'));
}

describe('moves between log dirs', () => {
  it('makes the future log in the preferred log dir, beside the log in use', async () => {
    await withMove(async ({ manager, a, b, current, future }) => {
      expect([future.isFuture, future.parentDir, future.topicPartition]).toEqual([true, b, T0]);
      expect(foldersOf(b)).toEqual([expect.stringMatching(FUTURE)]);
      expect([manager.getLog(T0), manager.getLog(T0, true)]).toEqual([current, future]);
      expect([...manager.allLogs()]).toEqual([current, future]);
      expect(manager.describeLogDirs()).toEqual([
        { logDir: a, isOffline: false, logs: [{ ...T0, size: current.size, offsetLag: 0, isFuture: false }] },
        { logDir: b, isOffline: false, logs: [{ ...T0, size: 0, offsetLag: 5, isFuture: true }] },
      ]);
      copy(current, future);
      expect(manager.describeLogDirs()[1]!.logs).toEqual([{ ...T0, size: future.size, offsetLag: 0, isFuture: true }]);
      await Promise.resolve();
    });
  });

  it('puts the future log in the place of the old one, which is deleted later', async () => {
    await withMove(async ({ manager, time, a, b, current, future }) => {
      copy(current, future);
      manager.replaceCurrentWithFutureLog(T0);
      expect([manager.getLog(T0), manager.getLog(T0, true)]).toEqual([future, undefined]);
      expect([future.dir, future.isFuture, future.highWatermark, future.latestEpoch]).toEqual([
        join(b, 't-0'),
        false,
        3,
        2,
      ]);
      expect(foldersOf(b)).toEqual(['t-0']);
      expect(foldersOf(a)).toEqual([expect.stringMatching(/^t-0\.[0-9a-f]{32}-delete$/)]);
      expect(readFileSync(join(a, 'recovery-point-offset-checkpoint'), 'utf8')).toBe('0\n0\n');
      future.appendAsLeader(records(1, 2, 'k'), 3);
      expect(readFileSync(join(b, 't-0', 'leader-epoch-checkpoint'), 'utf8')).toBe('0\n2\n2 0\n3 5\n');
      await time.advance(60_000);
      expect(foldersOf(a)).toEqual([]);
    });
  });

  it('finds a future log again after a stop, and its recovery point', async () => {
    await withTempDir(async (dir) => {
      const dirs = [join(dir, 'a'), join(dir, 'b')];
      const first = newManager(dirs);
      await first.startup();
      first.getOrCreateLog(T0, { isNew: true });
      first.maybeUpdatePreferredLogDir(T0, dirs[1]!);
      const { dir: folder } = first.getOrCreateLog(T0, { isFuture: true });
      first.getLog(T0)!.appendAsLeader(records(4, 1), 0);
      copy(first.getLog(T0)!, first.getLog(T0, true)!);
      await first.shutdown();

      const second = newManager(dirs);
      await second.startup();
      const again = second.getLog(T0, true)!;
      expect([again.dir, again.logEndOffset, again.recoveryPoint]).toEqual([folder, 4, 4]);
      expect(second.getLog(T0)!.parentDir).toBe(dirs[0]);
      await second.shutdown();
    });
  });

  it('remembers where a partition that has no log yet is to be made, once', async () => {
    await withTempDir(async (dir) => {
      const dirs = [join(dir, 'a'), join(dir, 'b')];
      const manager = newManager(dirs);
      await manager.startup();
      manager.maybeUpdatePreferredLogDir(T0, dirs[1]!);
      expect(manager.getOrCreateLog(T0, { isNew: true }).parentDir).toBe(dirs[1]);
      // It lies there already: nothing is remembered for the next log.
      manager.maybeUpdatePreferredLogDir(T0, dirs[1]!);
      expect(() => manager.getOrCreateLog(T0, { isFuture: true })).toThrow(/without having a preferred log directory/);
      await manager.shutdown();
    });
  });

  it('gives up a move: the future log is deleted, the other stays', async () => {
    await withMove(async ({ manager, time, b, current }) => {
      manager.asyncDelete(T0, true);
      expect([manager.getLog(T0), manager.getLog(T0, true)]).toEqual([current, undefined]);
      await time.advance(60_000);
      expect(foldersOf(b)).toEqual([]);
    });
  });

  it('deletes both logs of a partition, and goes on where one fails', async () => {
    await withMove(async ({ manager, a, b, future }) => {
      const others = [1, 2].map((partition) => ({ topic: 't', partition }));
      for (const other of others) manager.getOrCreateLog(other, { isNew: true });
      const failed: number[] = [];
      future.closeHandlers();
      manager.asyncDeleteAll([T0, ...others], ({ partition }) => failed.push(partition));
      expect([...manager.allLogs()]).toEqual([]);
      expect(failed).toEqual([]);
      const left = [a, b].flatMap((dir) => readdirSync(dir)).filter((name) => name.startsWith('t-'));
      expect(left.every((name) => name.endsWith('-delete'))).toBe(true);
      await Promise.resolve();
    });
  });

  it('keeps the log in use when the log dir of the future log fails', async () => {
    await withMove(async ({ manager, time, b, current, future }) => {
      standInTheWay(future.dir);
      expect(() => {
        copy(current, future);
      }).toThrow(KafkaStorageError);
      await time.advance(0);
      expect([manager.getLog(T0), manager.getLog(T0, true)]).toEqual([current, undefined]);
      expect(manager.isLogDirOnline(b)).toBe(false);
      expect(manager.describeLogDirs()[1]).toEqual({ logDir: b, isOffline: true, logs: [] });
      expect(() => {
        manager.replaceCurrentWithFutureLog(T0);
      }).toThrow('The future replica for t-0 is offline');
      expect(() => manager.isLogDirOnline('/nowhere')).toThrow("Log dir '/nowhere' is not found in the config.");
    });
  });

  it('takes the cleaner off a partition while it moves, and its checkpoint along', async () => {
    const settings = { 'cleanup.policy': 'compact', 'segment.bytes': '1000', 'min.cleanable.dirty.ratio': '0.1' };
    await withMove(
      async ({ manager, a, b, current, future }) => {
        const checkpointIn = (dir: string): string => readFileSync(join(dir, 'cleaner-offset-checkpoint'), 'utf8');
        manager.abortAndPauseCleaning(T0);
        for (let i = 0; i < 4; i += 1) current.appendAsLeader(records(6, 1, 'k'), 2);
        current.updateHighWatermark(current.logEndOffset);
        expect([await cleanOnce(manager), checkpointIn(a)]).toEqual([false, '']);
        manager.resumeCleaning(T0);
        expect(await cleanOnce(manager)).toBe(true);
        expect(checkpointIn(a)).toMatch(/^0\n1\nt 0 \d+\n$/);

        manager.abortAndPauseCleaning(T0);
        while (future.logEndOffset < current.logEndOffset) copy(current, future);
        const before = checkpointIn(a);
        manager.replaceCurrentWithFutureLog(T0);
        expect([checkpointIn(a), checkpointIn(b)]).toEqual(['0\n0\n', before]);
        expect(existsSync(join(b, 't-0'))).toBe(true);
      },
      { topicConfigs: () => settings },
    );
  });
});
