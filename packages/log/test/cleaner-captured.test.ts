import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { describe } from '@jest/globals';
import { SystemTime } from '@klassic/common';
import { describeWithReference, referenceFile } from '@klassic/test-support';
import { cleanOnce, withManager } from './cleaner-support.ts';
import { withTempDir } from './support.ts';

const FILES = ['cluster', '2.8.2', 'ibp-2.6', '18-retention-compaction', 'files'] as const;
const SETTINGS = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.01',
  'segment.bytes': '700',
  'delete.retention.ms': '8000',
};
/** Last writes of the segments before the third cleaning, as the cleaner's log has them. */
const MODIFIED_MS: Record<string, number> = {
  '0': 1_795_255_890_117,
  '33': 1_795_255_917_721,
  '36': 1_795_255_917_765,
  '38': 1_795_255_917_805,
  '40': 1_795_255_928_857,
  '42': 1_795_255_928_898,
};

function captured(name: string): string {
  return referenceFile(...FILES, name, 'broker-1', 'c-0');
}

/** `.log` and index files of segments that were cleaned, in hex, by name. */
function cleanedFiles(dir: string, activeBase: number): Record<string, string> {
  const names = readdirSync(dir).filter(
    (name) => /\.(log|index|timeindex)$/.test(name) && Number(name.slice(0, 20)) < activeBase,
  );
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(dir, name)).toString('hex')]));
}

describeWithReference(describe)('cleaning what the reference cleaned', () => {
  it('leaves the same files, tombstones kept', async () => {
    await withTempDir(async (dir) => {
      const folder = join(dir, 'c-0');
      mkdirSync(folder);
      for (const name of readdirSync(captured('compaction-before'))) {
        if (!name.endsWith('.txt')) cpSync(join(captured('compaction-before'), name), join(folder, name));
      }
      await withManager(dir, SETTINGS, new SystemTime(), async (manager, lines) => {
        expect(await cleanOnce(manager)).toBe(true);
        expect(cleanedFiles(folder, 33)).toEqual(cleanedFiles(captured('compaction-after'), 33));
        expect(readFileSync(join(dir, 'cleaner-offset-checkpoint'), 'utf8')).toBe('0\n1\nc 0 33\n');
        expect(lines.filter((line) => /offset map/i.test(line))).toEqual([
          'Cleaner 0: Building offset map for c-0...',
          'Cleaner 0: Building offset map for log c-0 for 4 segments in offset range [0, 33).',
          'Cleaner 0: Offset map for log c-0 complete.',
        ]);
      });
    });
  });

  it('leaves the same files, tombstones gone', async () => {
    await withTempDir(async (dir) => {
      const folder = join(dir, 'c-0');
      const source = captured('compaction-tombstones-gone');
      mkdirSync(folder);
      for (const base of Object.keys(MODIFIED_MS)) {
        const name = base.padStart(20, '0');
        for (const suffix of ['log', 'index', 'timeindex']) {
          const file = join(folder, `${name}.${suffix}`);
          cpSync(join(source, `${name}.${suffix}.deleted`), file);
          const seconds = MODIFIED_MS[base]! / 1000;
          utimesSync(file, seconds, seconds);
        }
      }
      cpSync(join(source, '00000000000000000044.log'), join(folder, '00000000000000000044.log'));
      writeFileSync(join(dir, 'cleaner-offset-checkpoint'), '0\n1\nc 0 38\n');
      writeFileSync(join(dir, '.kafka_cleanshutdown'), '');
      await withManager(dir, SETTINGS, new SystemTime(), async (manager) => {
        expect(await cleanOnce(manager)).toBe(true);
        expect(cleanedFiles(folder, 44)).toEqual(cleanedFiles(source, 44));
      });
    });
  });
});

describe('opening after a cleaning that was cut off', () => {
  it('finishes a swap and forgets what was not swapped yet', async () => {
    await withTempDir(async (dir) => {
      const folder = join(dir, 'c-0');
      await withManager(
        dir,
        { ...SETTINGS, 'segment.bytes': '300' },
        new SystemTime(),
        async (manager, _lines, fill) => {
          fill(manager, 'c', 60);
          await cleanOnce(manager);
        },
      );
      const [first] = readdirSync(folder).filter((name) => name.endsWith('.log'));
      renameSync(join(folder, first!), join(folder, `${first}.swap`));
      writeFileSync(join(folder, '00000000000000000007.log.cleaned'), 'half');
      rmSync(join(dir, '.kafka_cleanshutdown'));
      await withManager(dir, SETTINGS, new SystemTime(), (manager) => {
        expect(readdirSync(folder).filter((name) => /swap|cleaned/.test(name))).toEqual([]);
        expect(manager.getLog({ topic: 'c', partition: 0 })!.logEndOffset).toBe(60);
        return Promise.resolve();
      });
    });
  });
});
