import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  describeWithReference,
  freePorts,
  isSoak,
  prepareBroker,
  sleep,
  startBroker,
  startZooKeeper,
} from '@klassic/test-support';
import { ZNodes } from '../integration/cluster.ts';
import { runToItsEnd } from '../integration/foreground.ts';
import { RecordedScenario } from './recorded-scenario.ts';
import { ScenarioCluster } from './scenario-cluster.ts';
import { readTree, recordedTree } from './tree.ts';

jest.setTimeout(180_000);

let scenario: ScenarioCluster;

afterEach(() => scenario?.stop());

/** Scenarios that wait for long sessions to expire are played in the long form only. */
const longIt = isSoak() ? it : it.skip;

describeWithReference(describe)('sessions and registrations, beside the captures of Apache Kafka 2.8.2', () => {
  it('22: one broker registers with its rack and two listeners', async () => {
    const zooKeeper = await startZooKeeper();
    const [port, internalPort] = (await freePorts(2)) as [number, number];
    const broker = await startBroker({
      zooKeeperConnect: zooKeeper.connectString,
      port,
      overrides: {
        'broker.rack': 'rack-a',
        listeners: `PLAINTEXT://127.0.0.1:${port},INT://127.0.0.1:${internalPort}`,
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INT:PLAINTEXT',
        'inter.broker.listener.name': 'INT',
      },
    });
    const znodes = await ZNodes.open(zooKeeper.connectString);
    try {
      const inRecordedNames = (text: string): string =>
        text.replaceAll(String(port), '19091').replaceAll(String(internalPort), '19191');
      const tree = await readTree(znodes, inRecordedNames);
      const recorded = new RecordedScenario('22-registration-rack-and-listeners-ibp-2.6', {});
      expect(tree).toEqual(recordedTree(recorded.snapshot('after')));
      expect(tree['/brokers/ids/1']).toMatch('"rack":"rack-a"');
    } finally {
      await znodes.close();
      await broker.stop();
      await zooKeeper.stop();
    }
  });

  it('19: all brokers lose ZooKeeper for less than a session, and set their watches again', async () => {
    scenario = await ScenarioCluster.start('19-zookeeper-lost', {
      until: 'all connections between brokers and ZooKeeper are cut for 9 s',
    });
    for (const tap of scenario.taps) tap.cut();
    await sleep(2_000);
    for (const tap of scenario.taps) tap.heal();
    await scenario.waitUntilConnected();
    await scenario.expectSnapshot('after-short-loss');
    expect(scenario.elections().epochs).toEqual([1]);
  });

  longIt('19: all brokers lose ZooKeeper for longer, register anew, and elect a controller', async () => {
    scenario = await ScenarioCluster.start('19-zookeeper-lost');
    for (const tap of scenario.taps) tap.cut();
    await scenario.znodes.waitForBrokers([]);
    for (const tap of scenario.taps) tap.heal();
    await scenario.znodes.waitForBrokers([1, 2, 3]);
    await scenario.waitForControllerOtherThan(0);
    await scenario.waitForIsrs('t', 3, 3);
    // Who is back first, and leads, is a race. What there is and who watches what is not.
    await scenario.expectPaths('after-expiry');
    await scenario.expectWatches('after-expiry');
    expect(scenario.elections().epochs).toEqual([1, 2]);
  });

  longIt('20: an id in use, and one whose session has not expired yet, are refused', async () => {
    scenario = await ScenarioCluster.start('20-broker-id-conflict');
    const { znodes } = scenario;
    const another = await prepareBroker({ zooKeeperConnect: scenario.taps[0]!.target, id: 1, brokers: 3 });
    const { exitCode } = await runToItsEnd(another.folder);
    expect(exitCode).not.toBe(0);
    await scenario.expectSnapshot('conflict');
    await scenario.broker(2).kill();
    await expect(scenario.broker(2).start()).rejects.toThrow();
    await scenario.expectSnapshot('fast-restart');
    await znodes.waitForBrokers([1, 3]);
    await scenario.broker(2).start();
    await scenario.expectSnapshot('after');
    await scenario.expectWrites();
    await scenario.expectRpcs();
  });
});
