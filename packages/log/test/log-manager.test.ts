import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MockTime } from '@klassic/common';
import { KafkaStorageError } from '../src/index.ts';
import { newManager, records, standInTheWay, withTempDir } from './support.ts';

const T0 = { topic: 't', partition: 0 };
const T1 = { topic: 't', partition: 1 };

describe('LogManager', () => {
  it('finds its logs again after a clean stop, and says that it was clean', async () => {
    await withTempDir(async (dir) => {
      const first = newManager([dir]);
      await first.startup();
      const log = first.getOrCreateLog(T0, { isNew: true });
      log.appendAsLeader(records(3, 1), 5);
      await first.shutdown();
      expect(existsSync(join(dir, '.kafka_cleanshutdown'))).toBe(true);
      expect(readFileSync(join(dir, 'recovery-point-offset-checkpoint'), 'utf8')).toBe('0\n1\nt 0 3\n');

      const second = newManager([dir]);
      await second.startup();
      expect(existsSync(join(dir, '.kafka_cleanshutdown'))).toBe(false);
      const again = second.getLog(T0)!;
      expect([again.logEndOffset, again.recoveryPoint, again.latestEpoch]).toEqual([3, 3, 5]);
      await second.shutdown();
    });
  });

  it('recovers what lies above the recovery point after a stop that was not clean', async () => {
    await withTempDir(async (dir) => {
      const first = newManager([dir]);
      await first.startup();
      const log = first.getOrCreateLog(T0, { isNew: true });
      log.appendAsLeader(records(3, 1), 0);
      await log.flush();
      await first.checkpointLogRecoveryOffsets();
      log.appendAsLeader(records(2, 2), 0);
      log.closeHandlers();
      writeFileSync(join(dir, 't-0', '00000000000000000000.log'), Buffer.alloc(30), { flag: 'a' });

      const second = newManager([dir]);
      await second.startup();
      const again = second.getLog(T0)!;
      expect([again.logEndOffset, again.recoveryPoint]).toEqual([5, 3]);
      await second.shutdown();
    });
  });

  it('deletes a log in two steps', async () => {
    await withTempDir(async (dir) => {
      const time = new MockTime();
      const manager = newManager([dir], time);
      await manager.startup();
      manager.getOrCreateLog(T0, { isNew: true });
      manager.asyncDelete(T0);
      expect(manager.getLog(T0)).toBeUndefined();
      const folders = readdirSync(dir).filter((name) => name.startsWith('t-0'));
      expect(folders).toEqual([expect.stringMatching(/^t-0\.[0-9a-f]{32}-delete$/)]);
      await time.advance(60_000);
      expect(readdirSync(dir).filter((name) => name.startsWith('t-0'))).toEqual([]);
      await manager.shutdown();
    });
  });

  it('finishes a deletion that a stop came between', async () => {
    await withTempDir(async (dir) => {
      const folder = join(dir, `t-0.${'0'.repeat(32)}-delete`);
      mkdirSync(folder);
      const time = new MockTime();
      const manager = newManager([dir], time);
      await manager.startup();
      expect(manager.getLog(T0)).toBeUndefined();
      await time.advance(60_000);
      expect(existsSync(folder)).toBe(false);
      await manager.shutdown();
    });
  });

  it('lets segments go by time and by size, first by name, then from the disk', async () => {
    await withTempDir(async (dir) => {
      const time = new MockTime();
      const settings = { 'segment.bytes': '1000', 'retention.ms': '100000', 'file.delete.delay.ms': '1000' };
      const manager = newManager([dir], time, { topicConfigs: () => settings, retentionCheckMs: 10_000 });
      await manager.startup();
      const log = manager.getOrCreateLog(T0, { isNew: true });
      for (let i = 0; i < 5; i += 1) log.appendAsLeader(records(6, time.milliseconds()), 0);
      log.updateHighWatermark(24);
      expect(log.numberOfSegments).toBe(5);
      await time.advance(90_000);
      expect(log.numberOfSegments).toBe(5);
      await time.advance(20_001);
      expect([log.numberOfSegments, log.logStartOffset]).toEqual([1, 24]);
      await time.advance(2_000);
      expect(readdirSync(log.dir).filter((name) => name.endsWith('.log'))).toEqual(['00000000000000000024.log']);

      manager.reconfiguration.updateTopicConfig('t', { ...settings, 'retention.ms': '-1', 'retention.bytes': '900' });
      for (let i = 0; i < 3; i += 1) log.appendAsLeader(records(6, time.milliseconds()), 0);
      log.updateHighWatermark(log.logEndOffset);
      manager.cleanupLogs();
      expect(log.size).toBeGreaterThanOrEqual(900);
      expect(log.numberOfSegments).toBe(2);
      await manager.shutdown();
    });
  });

  it('takes the log dir with the fewest logs, and goes on without one that fails', async () => {
    await withTempDir(async (dir) => {
      const failures: string[] = [];
      const time = new MockTime();
      const dirs = [join(dir, 'a'), join(dir, 'b')];
      const manager = newManager(dirs, time, { onLogDirFailure: (logDir) => failures.push(logDir) });
      await manager.startup();
      const first = manager.getOrCreateLog(T0, { isNew: true });
      const second = manager.getOrCreateLog(T1, { isNew: true });
      expect([first.parentDir, second.parentDir]).toEqual(dirs);

      standInTheWay(first.dir);
      expect(() => first.appendAsLeader(records(1, 1), 3)).toThrow(KafkaStorageError);
      expect(() => first.read(0, 1, 'log_end', true)).toThrow(KafkaStorageError);
      await time.advance(0);
      expect(failures).toEqual([dirs[0]]);
      expect(manager.handleLogDirFailure(dirs[0]!)).toEqual(['t-0']);
      expect(manager.liveLogDirs).toEqual([dirs[1]]);
      expect(() => manager.getOrCreateLog(T0)).toThrow(KafkaStorageError);
      expect(manager.getOrCreateLog(T0, { isNew: true }).parentDir).toBe(dirs[1]);
      await manager.shutdown();
      expect(existsSync(join(dirs[0]!, '.kafka_cleanshutdown'))).toBe(false);
      expect(existsSync(join(dirs[1]!, '.kafka_cleanshutdown'))).toBe(true);
    });
  });

  it('finds in a folder that was left behind what is there', async () => {
    await withTempDir(async (root) => {
      const [dir, other] = [join(root, 'a'), join(root, 'b')];
      const writer = newManager([other]);
      await writer.startup();
      const left = writer.getOrCreateLog(T0, { isNew: true });
      left.truncateFullyAndStartAt(7);
      left.appendAsLeader(records(3, 1), 5);
      await writer.shutdown();
      const manager = newManager([dir]);
      await manager.startup();
      cpSync(join(other, 't-0'), join(dir, 't-0'), { recursive: true });
      const found = manager.getOrCreateLog(T0, { isNew: true });
      expect([found.logStartOffset, found.logEndOffset, found.latestEpoch]).toEqual([7, 10, 5]);
      const made = manager.getOrCreateLog(T1, { isNew: true });
      expect([made.logEndOffset, made.latestEpoch]).toEqual([0, null]);
      await manager.shutdown();
    });
  });

  it('refuses a folder that is no partition', async () => {
    await withTempDir(async (dir) => {
      mkdirSync(join(dir, 'photos'));
      await expect(newManager([dir]).startup()).rejects.toThrow(/is not in the form of topic-partition/);
    });
  });
});
