import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { SystemTime } from '@klassic/common';
import { eventually } from '@klassic/test-support';
import { cleanOnce, fill, withManager } from './cleaner-support.ts';
import { withTempDir } from './support.ts';

const COMPACT = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.01',
  'segment.bytes': '1000',
  'file.delete.delay.ms': '1000',
};

describe('the deletion of segments', () => {
  // The second cleaning's old segment 0 takes the name that the first one's still has; the first deletion removes it.
  it('finds nothing left to remove where a log is cleaned again within file.delete.delay.ms', async () => {
    await withTempDir(async (dir) => {
      await withManager(dir, COMPACT, new SystemTime(), async (manager) => {
        for (let round = 0; round < 2; round += 1) {
          fill(manager, 't', 60);
          expect(await cleanOnce(manager)).toBe(true);
        }
        const folder = manager.getLog({ topic: 't', partition: 0 })?.dir ?? '';
        const deleted = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.deleted'));
        expect(deleted()).not.toEqual([]);
        await eventually(() => deleted().length === 0);
        expect(manager.offlineLogDirs).toEqual([]);
      });
    });
  });
});
