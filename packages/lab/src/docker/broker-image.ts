import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { LabError } from '../lab-error.ts';
import type { Progress } from '../lab-error.ts';
import { checkout } from '../paths.ts';

/** The image of docker/broker.Dockerfile, as the lab and the tests name it. */
export const brokerImage = 'klassic-broker:latest';

/**
 * Builds the brokers' image from this checkout, by scripts/docker-image.
 *
 * @throws LabError with the script's last line when it fails
 */
export function buildBrokerImage(progress: Progress, tag: string = brokerImage): Promise<void> {
  progress(`building the image ${tag}`);
  return new Promise((resolve, reject) => {
    execFile(join(checkout, 'scripts', 'docker-image'), [tag], { maxBuffer: 1 << 26 }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new LabError(`scripts/docker-image failed: ${stderr.trim().split('\n').at(-1)}`));
    });
  });
}
