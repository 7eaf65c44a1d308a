import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { killNow, startInBackground, terminate } from '../src/process/background-process.ts';
import { identify, signal, stateOf } from '../src/process/process-identity.ts';

describe('a background process', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'klassic-process-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const start = (...args: string[]) =>
    startInBackground({ command: 'bash', args, outputFile: join(folder, 'out'), cwd: folder });

  it('is known by its pid and start time, paused, resumed and killed', async () => {
    const identity = await start('-c', 'echo hello; exec sleep 100');
    expect(identify(identity.pid)).toEqual(identity);
    expect(stateOf(identity)).toBe('running');
    signal(identity, 'SIGSTOP');
    await eventually(() => stateOf(identity) === 'paused');
    signal(identity, 'SIGCONT');
    await eventually(() => stateOf(identity) === 'running');
    await eventually(() => readFileSync(join(folder, 'out'), 'utf8') === 'hello\n');
    await killNow(identity);
    expect(stateOf(identity)).toBe('gone');
    expect(signal(identity, 'SIGTERM')).toBe(false);
  });

  it('is not taken for another that has its pid now', () => {
    const other = { pid: process.pid, startTime: 'long ago' };
    expect(stateOf(other)).toBe('gone');
    expect(signal(other, 'SIGKILL')).toBe(false);
  });

  it('ends by itself at SIGTERM, or is killed when it does not', async () => {
    expect(await terminate(await start('-c', 'exec sleep 100'), 5_000)).toBe(true);
    const deaf = await start('-c', "trap '' TERM; echo deaf; while true; do sleep 0.1; done");
    await eventually(() => readFileSync(join(folder, 'out'), 'utf8').includes('deaf'));
    expect(await terminate(deaf, 300)).toBe(false);
    expect(stateOf(deaf)).toBe('gone');
  });

  it('that cannot be run is an error', async () => {
    const options = { command: join(folder, 'nothing'), args: [], outputFile: join(folder, 'out') };
    await expect(startInBackground(options)).rejects.toThrow(/could not be run/);
  });
});
