import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { LabCluster } from '../cluster/lab-cluster.ts';
import { LabError } from '../lab-error.ts';
import { checkout, labHome } from '../paths.ts';
import { freePorts, isPortFree } from '../ports.ts';
import { TrafficProcess } from '../observe/traffic-process.ts';
import { parseWalkthrough } from './document.ts';
import { perform } from './perform.ts';
import type { Performance } from './perform.ts';
import { ShellSession } from './shell-session.ts';

/** Where the walkthroughs lie. */
export const walkthroughFolder: string = join(checkout, 'docs', 'walkthroughs');

/** Every walkthrough's name and title. */
export function listWalkthroughs(): { name: string; title: string }[] {
  return readdirSync(walkthroughFolder)
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .sort()
    .map((file) => {
      const name = file.slice(0, -'.md'.length);
      return { name, title: parseWalkthrough(readFileSync(join(walkthroughFolder, file), 'utf8'), file).title };
    });
}

export interface RunWalkthroughOptions {
  readonly say: (text: string) => void;
  /** Waits for Enter before each block of commands. */
  readonly step: boolean;
  /** The folder of its cluster; default: `walkthroughs/<name>` in the lab's. */
  readonly home?: string;
}

/**
 * Runs a walkthrough on a cluster of its own, on free ports, which is removed afterwards, however it ends.
 *
 * @throws LabError when there is no such walkthrough
 */
export async function runWalkthrough(name: string, options: RunWalkthroughOptions): Promise<Performance> {
  const file = join(walkthroughFolder, `${name}.md`);
  if (!/^[\w-]+$/.test(name) || !existsSync(file)) {
    throw new LabError(`there is no walkthrough '${name}': scripts/lab walkthrough list tells which there are`);
  }
  const document = parseWalkthrough(readFileSync(file, 'utf8'), `${name}.md`);
  const home = options.home ?? join(labHome(), 'walkthroughs', name);
  const cleanUp = async (): Promise<void> => {
    await new TrafficProcess(home).kill();
    await new LabCluster(home, () => undefined).down({ wipe: true });
  };
  await cleanUp();
  const shell = new ShellSession(checkout, {
    ...process.env,
    KLASSIC_LAB_HOME: home,
    KLASSIC_BUILT: '1',
    KLASSIC_LAB_BASE_PORT: String(await consecutivePorts(9092, 3)),
    KLASSIC_LAB_ZOOKEEPER_PORT: String(await consecutivePorts(2181, 1)),
  });
  const interrupt = (): void => {
    shell.close();
    void cleanUp().finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupt);
  const keyboard = options.step ? createInterface({ input: process.stdin, output: process.stderr }) : undefined;
  keyboard?.once('SIGINT', interrupt);
  try {
    return await perform(document, name, {
      shell,
      say: options.say,
      pause: async () => {
        await keyboard?.question('  (Enter goes on) ');
      },
    });
  } finally {
    process.removeListener('SIGINT', interrupt);
    keyboard?.close();
    shell.close();
    await cleanUp();
  }
}

/** The first of `count` free ports in a row: the wished for, where they are free. */
async function consecutivePorts(wished: number, count: number): Promise<number> {
  const free = await Promise.all(Array.from({ length: count }, (_, index) => isPortFree(wished + index)));
  return free.every(Boolean) ? wished : (await freePorts(count))[0]!;
}
