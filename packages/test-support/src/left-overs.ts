import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { ProcessIdentity } from '@klassic/lab';

let toReaper: Writable | undefined;

/** Sees to it that the process is dead once this one has ended, whether it ended well, crashed or was killed. */
export function killAfterwards(identity: ProcessIdentity): void {
  tell('process', `${identity.pid} ${identity.startTime}`);
}

/** A folder under the system's temporary one that is removed once this process has ended. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `klassic-${name}-`));
  tell('folder', folder);
  return folder;
}

/** Sees to it that the container is removed, with its volumes, once this process has ended. */
export function removeContainerAfterwards(name: string): void {
  tell('container', name);
}

/** Sees to it that the containers' network is removed, after the containers. */
export function removeNetworkAfterwards(name: string): void {
  tell('network', name);
}

function tell(kind: 'process' | 'folder' | 'container' | 'network', what: string): void {
  toReaper ??= startReaper();
  toReaper.write(`${kind} ${what}\n`);
}

/** A shell, since every test process has one beside it. */
function startReaper(): Writable {
  const reaper = join(import.meta.dirname, '..', 'src', 'reaper.sh');
  const child = spawn('sh', [reaper], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
  // Neither the process nor its pipe keeps a finished test process alive.
  child.unref();
  (child.stdin as Writable & { unref(): void }).unref();
  return child.stdin;
}
