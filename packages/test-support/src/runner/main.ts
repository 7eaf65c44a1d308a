import { close } from './close.ts';
import { Results } from './results.ts';
import { limitsOf, runAll } from './run-all.ts';

// main.ts run ROOT RESULTS: runs all tests; how they fared is in RESULTS.
// main.ts close RESULTS FAILED_STEPS: prints the closing line and ends with its verdict.
const [command, ...args] = process.argv.slice(2);
if (command === 'run') {
  const [root, folder] = args as [string, string];
  const say = (line: string): void => void process.stderr.write(`klassic: ${line}\n`);
  await runAll({ root, results: new Results(folder), limits: limitsOf(process.env), say });
} else {
  const [folder, failedSteps] = args as [string, string];
  const isWell = close(new Results(folder), Number(failedSteps), (line) => process.stdout.write(`${line}\n`));
  process.exitCode = isWell ? 0 : 1;
}
