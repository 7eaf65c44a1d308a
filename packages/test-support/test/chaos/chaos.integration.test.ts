import { expect, it } from '@jest/globals';
import { runChaos } from '../../src/index.ts';

// One seed of scripts/chaos, always the same: a controller is killed, brokers are stopped past their sessions and cut off.
const seed = 1;

it(`a minute of chaos by seed ${seed} loses, doubles and reorders nothing`, async () => {
  const told: string[] = [];
  const report = await runChaos({ seed, durationMs: 45_000, say: (line) => told.push(line) });
  // What happened tells more than the verdict alone.
  if (report.wrong.length > 0) throw new Error([...report.wrong, ...told, JSON.stringify(report, null, 1)].join('\n'));
  expect(report.acknowledged).toBeGreaterThan(100);
  expect(report.controllerEpochs).toBeGreaterThan(1);
}, 420_000);
