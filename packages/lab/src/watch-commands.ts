import { openLab, tellUser } from './commands.ts';
import { LabError } from './lab-error.ts';
import { TrafficProcess } from './observe/traffic-process.ts';
import type { TrafficReport } from './observe/traffic-report.ts';
import { listWalkthroughs, runWalkthrough } from './walkthrough/walkthroughs.ts';

/** `scripts/lab znodes [path]`. */
export async function printZNodes(path: string): Promise<void> {
  print(await openLab().observer().znodes(checkPath(path)));
}

/** `scripts/lab snapshot <name>`. */
export async function takeSnapshot(name: string): Promise<void> {
  await openLab().observer().snapshot(name);
  tellUser(`snapshot '${name}' is taken; scripts/lab diff ${name} tells what has changed since`);
}

/** `scripts/lab diff <name> [path] [--topic <topic>]`. */
export async function printDiff(name: string, path: string, topic: string | undefined): Promise<void> {
  print(await openLab().observer().diff(name, checkPath(path), topic));
}

/** `scripts/lab rpcs [--since <snapshot>] [--topic <topic>]`. */
export function printRpcs(since: string | undefined, topic: string | undefined): void {
  print(openLab().observer().rpcs(since, topic));
}

/** `scripts/lab traffic start <topic> | report | stop`. */
export async function traffic(
  action: 'start' | 'report' | 'stop',
  topic: string | undefined,
  rate: number,
): Promise<void> {
  const lab = openLab();
  const clients = new TrafficProcess(lab.home);
  switch (action) {
    case 'start': {
      if (topic === undefined) throw new LabError('scripts/lab traffic start needs the name of a topic');
      if (!(rate > 0 && rate <= 1_000)) throw new LabError('--rate must be a number from 1 to 1000');
      const { brokers } = await lab.status();
      await clients.start(
        brokers.map(({ host, port }) => `${host}:${port}`),
        topic,
        rate,
      );
      tellUser(
        `a producer (acks=all) and a consumer run on ${topic}: scripts/lab traffic report, scripts/lab traffic stop`,
      );
      break;
    }
    case 'report':
      printReport(clients.report());
      break;
    case 'stop': {
      const report = await clients.stop();
      printReport(report);
      if (report.unread > 0) throw new LabError(`${report.unread} acknowledged records were not read back`);
      break;
    }
  }
}

/** `scripts/lab walkthrough [list | <name> [--step]]`. */
export async function walkthrough(name: string, step: boolean): Promise<void> {
  if (name === 'list') {
    print(listWalkthroughs().map((each) => `${each.name.padEnd(20)} ${each.title}`));
    return;
  }
  const say = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };
  const { blocks, observations, failure } = await runWalkthrough(name, { say, step });
  if (failure !== undefined) throw new LabError(failure);
  tellUser(`${name}: ${blocks} blocks of commands, ${observations} observations, all as the text says`);
}

function printReport(report: TrafficReport): void {
  print(report.lines);
}

function print(lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

function checkPath(path: string): string {
  if (!/^\/([^/]+(\/[^/]+)*)?$/.test(path))
    throw new LabError(`a znode's path begins with / and has no / at its end: '${path}'`);
  return path;
}
