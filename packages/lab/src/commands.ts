import type { ClusterStatus } from './cluster/cluster-status.ts';
import { LabCluster } from './cluster/lab-cluster.ts';
import type { UpOptions } from './cluster/up-options.ts';
import { sleep } from './eventually.ts';
import { LabError } from './lab-error.ts';
import { labHome } from './paths.ts';

/** What a person at a terminal sees: progress and explanations on standard error, results on standard output. */
export function tellUser(line: string): void {
  process.stderr.write(`lab: ${line}\n`);
}

export function openLab(): LabCluster {
  return new LabCluster(labHome(), tellUser);
}

/** `scripts/lab up --detach`: starts the cluster and leaves it running. */
export async function upDetached(options: UpOptions): Promise<void> {
  const lab = openLab();
  const interruption = new Interruption();
  await start(lab, options);
  interruption.dispose();
  if (interruption.happened) await lab.down({ wipe: false });
  else process.stdout.write(whatToTry(await lab.status()));
}

/** `scripts/lab`: the cluster lives as long as this command. Brokers that end meanwhile are told of. */
export async function upInFront(options: UpOptions): Promise<void> {
  const lab = openLab();
  const interruption = new Interruption();
  await start(lab, options);
  if (!interruption.happened) {
    process.stdout.write(whatToTry(await lab.status()));
    process.stdout.write('Ctrl-C ends the cluster; its data stay in .lab (scripts/lab down --wipe removes them).\n');
    await tellOfChanges(lab, interruption);
  }
  await lab.down({ wipe: false });
}

async function start(lab: LabCluster, options: UpOptions): Promise<void> {
  const startedAt = performance.now();
  await lab.up(options);
  tellUser(`the cluster is up (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
}

/** Ctrl-C or SIGTERM: the first is remembered, so that nothing is left half started; a second one leaves things as they are. */
class Interruption {
  happened = false;
  private readonly listener = (): void => {
    if (this.happened) process.exit(130);
    this.happened = true;
    tellUser('ending the cluster (Ctrl-C again leaves it as it is: scripts/lab down ends it then)');
  };

  constructor() {
    process.on('SIGINT', this.listener);
    process.on('SIGTERM', this.listener);
  }

  dispose(): void {
    process.removeListener('SIGINT', this.listener);
    process.removeListener('SIGTERM', this.listener);
  }
}

/** `scripts/lab status`. */
export async function printStatus(json: boolean): Promise<void> {
  const status = await openLab().status();
  process.stdout.write(json ? `${JSON.stringify(status)}\n` : statusTable(status));
}

/** The id of a broker from the command line. @throws LabError when it is no number */
export function brokerId(text: string): number {
  if (!/^\d+$/.test(text)) throw new LabError(`a broker is named by its id, a number, not '${text}'`);
  return Number(text);
}

function statusTable(status: ClusterStatus): string {
  const { id, epoch } = status.controller;
  const lines = [`ZooKeeper   ${status.zookeeper}`];
  for (const broker of status.brokers) {
    const pid = broker.pid === null ? '' : `  pid ${broker.pid}`;
    const pages = broker.http === null || broker.state !== 'running' ? '' : `  ${broker.http}/state`;
    const controls = broker.id === id ? '  controller' : '';
    lines.push(
      `broker ${String(broker.id).padEnd(4)} ${broker.host}:${broker.port}  ${broker.state}${pid}${pages}${controls}`,
    );
  }
  lines.push(
    id === null
      ? `controller  none now (epoch ${epoch ?? 'unknown'})`
      : `controller  broker ${id}, controller epoch ${epoch}`,
  );
  return `${lines.join('\n')}\n`;
}

function whatToTry(status: ClusterStatus): string {
  const bootstrap = status.brokers.map((broker) => `${broker.host}:${broker.port}`).join(',');
  const server = `--bootstrap-server ${bootstrap}`;
  const victim = status.brokers.at(-1)!.id;
  const tools = `${process.env['KLASSIC_PNPM'] ?? 'pnpm'} exec `;
  return `
${statusTable(status)}
Try:
  ${tools}kafka-topics ${server} --create --topic orders --partitions 3 --replication-factor ${Math.min(3, status.brokers.length)}
  ${tools}kafka-console-producer ${server} --topic orders
  ${tools}kafka-console-consumer ${server} --topic orders --from-beginning
  ${tools}kafka-topics ${server} --describe --topic orders     # who leads? then:
  scripts/lab kill ${victim}                                             # kill -9, and describe again after 6 s
  scripts/lab start ${victim}
  scripts/lab walkthrough leader-death                           # the same, told step by step
`;
}

/** Tells when a broker is killed, paused, started … from another terminal, or ends by itself; ends when the cluster is down. */
async function tellOfChanges(lab: LabCluster, interruption: Interruption): Promise<void> {
  const known = new Map<number, string>();
  while (!interruption.happened) {
    const states = await lab.brokerStates();
    if (states === undefined) return;
    for (const { id, state } of states) {
      const before = known.get(id);
      if (before !== undefined && before !== state) tellUser(`broker ${id}: ${before} → ${state}`);
      known.set(id, state);
    }
    await sleep(500);
  }
}
