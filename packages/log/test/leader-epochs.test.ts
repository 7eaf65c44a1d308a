import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@klassic/common';
import { LeaderEpochFileCache } from '../src/leader-epoch-file-cache.ts';
import { openLog, records, withTempDir } from './support.ts';

async function withCache(
  use: (cache: LeaderEpochFileCache, path: string, dir: string) => void | Promise<void>,
): Promise<void> {
  await withTempDir(async (root) => {
    const dir = join(root, 't-0');
    mkdirSync(dir);
    await use(new LeaderEpochFileCache(dir, () => 100, silentLogger), join(dir, 'leader-epoch-checkpoint'), dir);
  });
}

const textOf = (path: string): string => readFileSync(path, 'utf8');

describe('the checkpoint of leader epochs', () => {
  it('is overwritten in place while the log is empty', async () => {
    await withCache((cache, path) => {
      const { ino } = statSync(path);
      cache.assignUnwritten(9, 0, true);
      expect(textOf(path)).toBe('0\n1\n9 0\n');
      cache.assignUnwritten(10, 0, true);
      expect([textOf(path), cache.isUnwritten]).toEqual(['0\n1\n10 0\n', false]);
      expect(statSync(path).ino).toBe(ino);
    });
  });

  it('is replaced where the new text is the shorter one', async () => {
    await withCache((cache, path) => {
      for (const [epoch, offset] of [
        [1, 10],
        [2, 20],
        [3, 30],
      ] as const)
        cache.assign(epoch, offset);
      cache.assign(4, 10, true);
      expect(textOf(path)).toBe('0\n1\n4 10\n');
    });
  });

  it('gets the epoch of a log with batches once it is flushed, on the disk', async () => {
    await withCache(async (cache, path, dir) => {
      cache.assign(1, 0);
      cache.assignUnwritten(2, 7, false);
      expect([textOf(path), cache.isUnwritten, cache.latestEpoch]).toEqual(['0\n1\n1 0\n', true, 2]);
      await Promise.all([cache.flushInBackground(), cache.flushInBackground()]);
      expect([textOf(path), cache.isUnwritten]).toEqual(['0\n2\n1 0\n2 7\n', false]);
      expect(existsSync(`${path}.background.tmp`)).toBe(false);
      expect(new LeaderEpochFileCache(dir, () => 100, silentLogger).entries).toEqual(cache.entries);
    });
  });

  it('keeps what was written while a flush was under way', async () => {
    await withCache(async (cache, path) => {
      cache.assign(1, 0);
      cache.assignUnwritten(2, 7, false);
      const flushed = cache.flushInBackground();
      cache.assign(3, 9);
      await flushed;
      expect(textOf(path)).toBe('0\n3\n1 0\n2 7\n3 9\n');
      cache.assignUnwritten(4, 12, false);
      const again = cache.flushInBackground();
      cache.assignUnwritten(5, 13, false);
      await again;
      expect([textOf(path), cache.isUnwritten]).toEqual(['0\n5\n1 0\n2 7\n3 9\n4 12\n5 13\n', false]);
      expect(existsSync(`${path}.background.tmp`)).toBe(false);
    });
  });

  it('lets a folder go that was deleted while a flush was under way, and tells of a disk that refuses', async () => {
    await withCache(async (cache, path, dir) => {
      cache.assignUnwritten(2, 7, false);
      rmSync(dir, { recursive: true });
      await cache.flushInBackground();
      mkdirSync(join(dir, 'leader-epoch-checkpoint.background.tmp'), { recursive: true });
      writeFileSync(path, '');
      cache.assignUnwritten(3, 8, false);
      await expect(cache.flushInBackground()).rejects.toThrow(`Error while writing to checkpoint file ${path}`);
      expect(cache.isUnwritten).toBe(true);
    });
  });

  it.each(['closed', 'renamed'])('has all epochs when its log is %s', async (fate) => {
    await withTempDir((root) => {
      const log = openLog(root);
      log.appendAsLeader(records(1, 1), 1);
      log.maybeAssignEpochStartOffset(2, log.logEndOffset);
      expect(log.hasUnwrittenLeaderEpoch).toBe(true);
      if (fate === 'closed') log.close();
      else log.renameDir('t-1');
      expect(textOf(join(root, fate === 'closed' ? 't-0' : 't-1', 'leader-epoch-checkpoint'))).toBe('0\n2\n1 0\n2 1\n');
      if (fate === 'renamed') log.close();
    });
  });
});
