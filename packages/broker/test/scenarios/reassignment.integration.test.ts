import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, it, jest } from '@jest/globals';
import { Producer } from '@klassic/client';
import { describeWithReference, isSoak, temporaryFolder } from '@klassic/test-support';
import { send } from './producing.ts';
import { ScenarioCluster } from './scenario-cluster.ts';

jest.setTimeout(180_000);

let scenario: ScenarioCluster;

afterEach(() => scenario?.stop());

interface Move {
  readonly partition: number;
  readonly replicas: readonly number[];
}

interface Adding {
  readonly adding_replicas: Readonly<Record<string, readonly number[]>>;
}

/** The one that copies data under a throttle is played in the long form only. */
const longIt = isSoak() ? it : it.skip;
const run = promisify(execFile);
const tool = resolve(import.meta.dirname, '../../../admin/bin/kafka-reassign-partitions.mjs');

const plan = (partitions: readonly Move[]): string =>
  JSON.stringify({ version: 1, partitions: partitions.map((each) => ({ topic: 'r', ...each })) });

describeWithReference(describe)('reassignments, beside the captures of Apache Kafka 2.8.2', () => {
  it('09b: by a plan in /admin/reassign_partitions, and one that waits for a stopped broker', async () => {
    scenario = await ScenarioCluster.start('09b-reassign-zookeeper');
    const { znodes } = scenario;
    const all = { bootstrapServers: scenario.bootstrapServers, acks: 'all' } as const;
    await send(all, 'r', ...Array.from({ length: 20 }, (_, index) => `a${index}`));
    const isDone = async (): Promise<boolean> => (await znodes.read('/admin/reassign_partitions')) === undefined;
    const first = [
      { partition: 0, replicas: [3, 2] },
      { partition: 1, replicas: [2, 1] },
    ];
    await znodes.create('/admin/reassign_partitions', plan(first));
    await scenario.until(isDone, 'the end of the first plan');
    // Which of the two partitions is done first is a race, in the original as well: only what comes of it is compared.
    await scenario.expectSnapshot('done');
    await scenario.waitForIsrNotifications();
    scenario.goOnFrom('broker 3 is paused');
    scenario.broker(3).pause();
    await znodes.create('/admin/reassign_partitions', plan([{ partition: 1, replicas: [1, 3] }]));
    await scenario.expectSnapshot('held');
    scenario.broker(3).resume();
    await scenario.until(isDone, 'the end of the second plan');
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    await scenario.expectRpcs();
  });

  longIt('09: by the tool, with a throttle; and one that is cancelled', async () => {
    scenario = await ScenarioCluster.start('09-reassign');
    const { znodes } = scenario;
    const producer = new Producer({ bootstrapServers: scenario.bootstrapServers, acks: 'all', batchSize: 16_000 });
    const value = 'v'.repeat(1_000);
    const sent = Array.from({ length: 2_700 }, (_, index) =>
      producer.send({ topic: 'r', partition: index % 2, value }),
    );
    await Promise.all(sent);
    await producer.close();
    const plans = temporaryFolder('plans');
    const reassign = async (partitions: readonly Move[], ...args: readonly string[]): Promise<void> => {
      const file = join(plans, 'plan.json');
      writeFileSync(file, plan(partitions));
      const servers = scenario.bootstrapServers.join();
      await run(process.execPath, [tool, '--bootstrap-server', servers, '--reassignment-json-file', file, ...args]);
    };
    const first = [
      { partition: 0, replicas: [3, 2] },
      { partition: 1, replicas: [1, 3] },
    ];
    await reassign(first, '--execute', '--throttle', '120000');
    await scenario.expectSnapshot('during');
    const isAdding = async (): Promise<boolean> => {
      const { adding_replicas: adding } = JSON.parse((await znodes.read('/brokers/topics/r'))!.text) as Adding;
      return Object.values(adding).flat().length > 0;
    };
    await scenario.until(async () => !(await isAdding()), 'the end of the first plan');
    await scenario.expectSnapshot('done');
    await reassign(first, '--verify');
    await scenario.expectSnapshot('verified');
    const second = [{ partition: 0, replicas: [1, 2] }];
    await reassign(second, '--execute', '--throttle', '20000');
    await scenario.expectSnapshot('second-during');
    await reassign(second, '--cancel');
    // Which partition is done first is a race: of the writes and requests only what comes of them is compared.
    await scenario.expectSnapshot('after');
  });
});
