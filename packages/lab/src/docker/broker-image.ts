import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabError } from '../lab-error.ts';
import type { Progress } from '../lab-error.ts';
import { checkout } from '../paths.ts';
import { docker } from './docker-cli.ts';

/** The image of docker/broker.Dockerfile, as the lab and the tests name it. */
export const brokerImage = 'klassic-broker:latest';

/**
 * Builds the brokers' image from what is built in this checkout: `pnpm deploy` collects the broker with its
 * dependencies, and the Dockerfile copies it, so that the build needs no network but for its base image.
 *
 * @throws LabError when the checkout is not built, or pnpm or Docker fails
 */
export async function buildBrokerImage(progress: Progress, tag: string = brokerImage): Promise<void> {
  if (!existsSync(join(checkout, 'packages', 'broker', 'dist', 'server', 'main.js'))) {
    throw new LabError('the broker is not built: run scripts/lab or scripts/test first');
  }
  const context = mkdtempSync(join(tmpdir(), 'klassic-image-'));
  try {
    progress(`building the image ${tag}`);
    await deploy(join(context, 'broker'));
    const dockerfile = join(checkout, 'docker', 'broker.Dockerfile');
    await docker(['build', '--quiet', '--tag', tag, '--file', dockerfile, context]);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

function deploy(target: string): Promise<void> {
  const args = ['--filter', '@klassic/broker', '--prod', '--legacy', 'deploy', target];
  return new Promise((resolve, reject) => {
    execFile('pnpm', args, { cwd: checkout, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new LabError(`pnpm could not collect the broker: ${`${stderr}${stdout}`.trim().split('\n').at(-1)}`));
    });
  });
}
