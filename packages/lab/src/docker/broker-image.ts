import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '../lab-error.ts';
import type { Progress } from '../lab-error.ts';
import { checkout } from '../paths.ts';

/** The image of docker/broker.Dockerfile, as the lab and the tests name it. */
export const brokerImage = 'klassic-broker:latest';

/**
 * Builds the brokers' image from what is built in this checkout, by scripts/docker-image.
 *
 * @throws LabError with the script's last line when it fails
 */
export function buildBrokerImage(progress: Progress, tag: string = brokerImage): Promise<void> {
  if (!existsSync(join(checkout, 'packages', 'broker', 'dist', 'server', 'main.js'))) {
    return Promise.reject(new LabError('the broker is not built: scripts/lab and scripts/test build it'));
  }
  progress(`building the image ${tag}`);
  const options = { maxBuffer: 1 << 26, env: { ...process.env, KLASSIC_BUILT: '1' } };
  return new Promise((resolve, reject) => {
    execFile(join(checkout, 'scripts', 'docker-image'), [tag], options, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new LabError(`scripts/docker-image failed: ${stderr.trim().split('\n').at(-1)}`));
    });
  });
}
