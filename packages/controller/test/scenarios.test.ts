import { describe, expect, it, jest } from '@jest/globals';
import { describeWithReference } from '@klassic/test-support';
import type { ReplayOptions } from './scenario-replay.ts';
import { replayScenario } from './scenario-replay.ts';

jest.setTimeout(60_000);

const rebalance = { autoLeaderRebalanceEnable: true, leaderImbalanceCheckIntervalSeconds: 5 };

const scenarios: readonly [string, ReplayOptions][] = [
  ['01-cluster-start', {}],
  ['02-create-topic', {}],
  ['03-kill-leader', {}],
  ['04-kill-controller', {}],
  ['05-controlled-shutdown', {}],
  ['06-isr-shrink-expand', {}],
  ['07-min-insync-replicas', {}],
  ['08-offline-and-unclean', {}],
  ['09-reassign', {}],
  ['09b-reassign-zookeeper', {}],
  ['10-delete-topic', {}],
  ['11-add-partitions', {}],
  ['12-configs', {}],
  ['13-consumer-group', {}],
  ['14-transactions', {}],
  ['15-divergent-truncation', {}],
  ['16-zombie-controller', {}],
  ['19-zookeeper-lost', {}],
  ['20-broker-id-conflict', {}],
  ['21-log-dir-failure', {}],
  ['23-auto-leader-rebalance', { config: rebalance, inOfficeMs: 4800 }],
];

describeWithReference(describe)('the controller, beside the captures of Apache Kafka 2.8.2', () => {
  it.each(scenarios)('writes and sends the same in %s', async (name, options) => {
    const { expected, actual } = await replayScenario(name, options);
    expect(actual.writes).toEqual(expected.writes);
    expect(actual.rpcs).toEqual(expected.rpcs);
    expect(actual.watches).toEqual(expected.watches);
    expect(actual.log).toEqual(expected.log);
  });
});
