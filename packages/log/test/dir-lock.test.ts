import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@klassic/common';
import { eventually } from '@klassic/test-support';
import { DirLock, LogDirLockedError } from '../src/dir-lock.ts';
import { withTempDir } from './support.ts';

function ownerFile(pid: number, started: string | null = null): string {
  return JSON.stringify({ pid, host: hostname(), started });
}

describe('the lock of a log dir', () => {
  it('says who has it, and goes with its owner', async () => {
    await withTempDir((dir) => {
      const lock = DirLock.acquire(dir, silentLogger);
      expect(JSON.parse(readFileSync(join(dir, '.lock'), 'utf8'))).toMatchObject({
        pid: process.pid,
        host: hostname(),
      });
      lock.release();
      expect(existsSync(join(dir, '.lock'))).toBe(false);
    });
  });

  it('is refused while another process has it, and taken over once that is gone', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await withTempDir(async (dir) => {
      writeFileSync(join(dir, '.lock'), ownerFile(other.pid!));
      expect(() => DirLock.acquire(dir, silentLogger)).toThrow(LogDirLockedError);
      expect(() => DirLock.acquire(dir, silentLogger)).toThrow(
        `Failed to acquire lock on file .lock in ${dir}. A Kafka instance in another process or thread is using this directory`,
      );
      const exit = once(other, 'exit');
      other.kill('SIGKILL');
      await exit;
      DirLock.acquire(dir, silentLogger).release();
    });
  });

  it('is taken over from a process that has ended and that nobody has collected', async () => {
    if (!existsSync('/proc/self/stat')) return;
    // The shell becomes a sleep, which never asks for an exit code; only then its child ends, at the end of its input.
    const script = 'cat <&3 >/dev/null & echo $!; exec 3<&-; exec sleep 300';
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
    const [bytes] = (await once(parent.stdout!, 'data')) as [Buffer];
    const zombie = Number(bytes.toString());
    await eventually(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'sleep\n', {
      what: 'the shell to have become a sleep',
    });
    parent.stdio[3]!.destroy();
    await eventually(() => / Z /.test(readFileSync(`/proc/${zombie}/stat`, 'utf8')), {
      what: 'the child to have ended',
    });
    await withTempDir((dir) => {
      writeFileSync(join(dir, '.lock'), ownerFile(zombie));
      DirLock.acquire(dir, silentLogger).release();
    });
    parent.kill('SIGKILL');
  });

  it('is taken over from a pid that was given out again, from another host, and from Kafka', async () => {
    await withTempDir((dir) => {
      const path = join(dir, '.lock');
      if (existsSync('/proc/self/stat')) {
        writeFileSync(path, ownerFile(process.ppid, '1'));
        DirLock.acquire(dir, silentLogger).release();
      }
      writeFileSync(path, JSON.stringify({ pid: process.ppid, host: 'elsewhere', started: null }));
      DirLock.acquire(dir, silentLogger).release();
      writeFileSync(path, '');
      DirLock.acquire(dir, silentLogger).release();
      expect(existsSync(path)).toBe(false);
    });
  });
});
