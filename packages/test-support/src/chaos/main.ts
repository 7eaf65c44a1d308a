import { cpSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '@klassic/lab';
import { runChaos } from './run-chaos.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    brokers: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '1' },
    keep: { type: 'string' },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const first = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed);
const [minutes, brokers, rounds] = [values.minutes, values.brokers, values.rounds].map(Number) as [
  number,
  number,
  number,
];
if (![first, rounds].every(Number.isSafeInteger) || !(minutes > 0) || !(brokers >= 3 && brokers <= 9)) {
  process.stderr.write('scripts/chaos [--seed N] [--minutes M] [--brokers 3..9] [--rounds R] [--keep FOLDER]\n');
  process.exit(2);
}
for (let round = 0; round < rounds; round += 1) {
  const seed = first + round;
  try {
    await runRound(seed);
  } catch (error) {
    say(`chaos: seed ${seed}: did not run: ${messageOf(error)}`);
    process.exitCode = 1;
  }
}

async function runRound(seed: number): Promise<void> {
  const report = await runChaos({
    seed,
    durationMs: minutes * 60_000,
    brokers,
    say,
    onWrong: (cluster) => {
      if (values.keep === undefined) return;
      const kept = resolve(values.keep, `seed-${seed}`);
      for (const { folder, id } of cluster.brokers) cpSync(folder, resolve(kept, `broker-${id}`), { recursive: true });
      say(`logs and data are kept in ${kept}`);
    },
  });
  say(JSON.stringify(report, null, 1));
  const again = `scripts/chaos --seed ${seed} --minutes ${minutes} --brokers ${brokers}`;
  say(report.wrong.length === 0 ? `chaos: seed ${seed}: all is well` : `chaos: seed ${seed}: WRONG; again: ${again}`);
  if (report.wrong.length > 0) process.exitCode = 1;
}
