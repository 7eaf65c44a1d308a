import { cpSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '@klassic/lab';
import { runChaos } from './run-chaos.ts';

const usage = `Usage: scripts/chaos [options]

  --seed N         decides the plan of faults; left out: any
  --minutes M      how long a round lasts (default 1)
  --brokers B      3 to 9 (default 4)
  --rounds R       rounds, of the seeds N, N+1, … (default 1)
  --keep FOLDER    where the brokers' logs and data are left if something was wrong
`;

interface Options {
  readonly seed: number;
  readonly minutes: number;
  readonly brokers: number;
  readonly rounds: number;
  readonly keep: string | undefined;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** @throws Error with one line for the user */
function optionsOf(args: readonly string[]): Options | 'help' {
  const text = { type: 'string' } as const;
  const options = { seed: text, minutes: text, brokers: text, rounds: text, keep: text };
  const { values } = parseArgs({ args: [...args], options: { ...options, help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) return 'help';
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed);
  const [minutes, brokers, rounds] = [values.minutes ?? 1, values.brokers ?? 4, values.rounds ?? 1].map(Number) as [
    number,
    number,
    number,
  ];
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed is a whole number');
  if (!(minutes > 0 && minutes <= 1440)) throw new Error('--minutes is a number above 0, up to 1440');
  if (!Number.isInteger(brokers) || brokers < 3 || brokers > 9) throw new Error('--brokers is a number from 3 to 9');
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds is a number from 1 on');
  return { seed, minutes, brokers, rounds, keep: values.keep };
}

async function main(): Promise<void> {
  let options;
  try {
    options = optionsOf(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${usage}`);
    process.exitCode = 2;
    return;
  }
  if (options === 'help') {
    process.stdout.write(usage);
    return;
  }
  for (let round = 0; round < options.rounds; round += 1) {
    const seed = options.seed + round;
    try {
      await runRound(seed, options);
    } catch (error) {
      say(`chaos: seed ${seed}: did not run: ${messageOf(error)}`);
      process.exitCode = 1;
    }
  }
}

async function runRound(seed: number, { minutes, brokers, keep }: Options): Promise<void> {
  const report = await runChaos({
    seed,
    durationMs: minutes * 60_000,
    brokers,
    say,
    onWrong: (cluster) => {
      if (keep === undefined) return;
      const kept = resolve(keep, `seed-${seed}`);
      for (const { folder, id } of cluster.brokers) cpSync(folder, resolve(kept, `broker-${id}`), { recursive: true });
      say(`logs and data are kept in ${kept}`);
    },
  });
  say(JSON.stringify(report, null, 1));
  const again = `scripts/chaos --seed ${seed} --minutes ${minutes} --brokers ${brokers}`;
  say(report.wrong.length === 0 ? `chaos: seed ${seed}: all is well` : `chaos: seed ${seed}: WRONG; again: ${again}`);
  if (report.wrong.length > 0) process.exitCode = 1;
}

await main();
