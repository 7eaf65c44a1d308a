import { describe, expect, it } from '@jest/globals';
import { SystemTime } from '@klassic/common';
import { eventually } from '@klassic/test-support';
import { InvalidConfigError } from '../src/index.ts';
import { cleanerOf, fill } from './cleaner-support.ts';
import { newManager, withTempDir } from './support.ts';

const COMPACT = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01', 'segment.bytes': '1000' };

describe('settings that change while a broker runs', () => {
  it('refuses what the reference refuses of the cleaner', async () => {
    await withTempDir(async (dir) => {
      const manager = newManager([dir], undefined, { brokerDefaults: { 'log.cleaner.threads': '4' } });
      const check = (settings: Record<string, string>) => () => {
        manager.reconfiguration.validateCleanerReconfiguration(settings);
      };
      expect(check({ 'log.cleaner.threads': '0' })).toThrow('Log cleaner threads should be at least 1');
      expect(check({ 'log.cleaner.threads': '1' })).toThrow(
        'Log cleaner threads cannot be reduced to less than half the current value 4',
      );
      expect(check({ 'log.cleaner.threads': '9' })).toThrow(
        'Log cleaner threads cannot be increased to more than double the current value 4',
      );
      expect(check({ 'log.cleaner.threads': '4', 'log.cleaner.dedupe.buffer.size': '90' })).toThrow(
        /^offset map is too small to fit in even a single message/,
      );
      expect(check({ 'log.cleaner.threads': 'many' })).toThrow(InvalidConfigError);
      expect(check({ 'log.cleaner.threads': '8' })).not.toThrow();
      await manager.shutdown();
    });
  });

  it('wakes the cleaner for new settings, and goes on with them', async () => {
    await withTempDir(async (dir) => {
      const settings = { 'log.cleaner.backoff.ms': '9000000', 'log.cleaner.dedupe.buffer.size': '2097152' };
      const manager = newManager([dir], undefined, {
        brokerDefaults: settings,
        topicConfigs: () => COMPACT,
        time: new SystemTime(),
      });
      await manager.startup();
      // The cleaner sleeps now, for hours: it has found nothing.
      fill(manager, 't', 200);
      manager.reconfiguration.reconfigureCleaner({
        ...settings,
        'log.cleaner.threads': '2',
        'log.cleaner.backoff.ms': '1',
      });
      const cleanedUpTo = (): number => cleanerOf(manager).manager.cleanedUpTo('t-0') ?? 0;
      await eventually(() => cleanedUpTo() > 150, { what: 'the log to be cleaned', timeoutMs: 30_000 });
      fill(manager, 't', 200);
      await eventually(() => cleanedUpTo() > 350, { what: 'the log to be cleaned again', timeoutMs: 30_000 });
      manager.reconfiguration.reconfigureCleaner({ ...settings, 'log.cleaner.threads': '1' });
      await manager.shutdown();
    });
  });

  it('changes the logs of topics that do not have a setting of their own', async () => {
    await withTempDir(async (dir) => {
      const own: Record<string, Record<string, string>> = { own: { 'segment.bytes': '2000' } };
      const manager = newManager([dir], undefined, { topicConfigs: (topic) => own[topic] ?? {} });
      await manager.startup();
      const [a, b] = ['own', 'other'].map((topic) => manager.getOrCreateLog({ topic, partition: 0 }, { isNew: true }));
      manager.reconfiguration.reconfigureDefaultLogConfig({ 'log.segment.bytes': '3000', 'log.retention.ms': '7' });
      expect([a!.config.segmentBytes, a!.config.retentionMs]).toEqual([2000, 7]);
      expect([b!.config.segmentBytes, b!.config.retentionMs]).toEqual([3000, 7]);
      expect(() => {
        manager.reconfiguration.reconfigureDefaultLogConfig({ 'log.segment.bytes': 'none' });
      }).toThrow(InvalidConfigError);
      expect([b!.config.segmentBytes, manager.currentDefaultConfig.segmentBytes]).toEqual([3000, 3000]);
      const c = manager.getOrCreateLog({ topic: 'new', partition: 0 }, { isNew: true });
      expect(c.config.retentionMs).toBe(7);
      await manager.shutdown();
    });
  });
});
