import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestBroker } from './broker.ts';

const elected = /\b(\d+) successfully elected as the controller\. Epoch incremented to (\d+)/g;

/** Who became controller in which epoch, as the brokers' controller.log tell it: one broker an epoch, or something is wrong. */
export function controllersByEpoch(brokers: readonly TestBroker[]): Map<number, Set<number>> {
  const controllers = new Map<number, Set<number>>();
  for (const { logFolder } of brokers) {
    const file = join(logFolder, 'controller.log');
    if (!existsSync(file)) continue;
    for (const [, broker, epoch] of readFileSync(file, 'utf8').matchAll(elected)) {
      const seen = controllers.get(Number(epoch)) ?? new Set<number>();
      controllers.set(Number(epoch), seen.add(Number(broker)));
    }
  }
  return controllers;
}
