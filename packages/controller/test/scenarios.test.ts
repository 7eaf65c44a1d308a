import { describe, expect, it } from '@jest/globals';
import { describeWithReference } from '@klassic/test-support';
import { replayScenario } from './scenario-replay.ts';

describeWithReference(describe)('the controller, beside the captures of Apache Kafka 2.8.2', () => {
  for (const name of [
    '01-cluster-start',
    '02-create-topic',
    '03-kill-leader',
    '04-kill-controller',
    '05-controlled-shutdown',
    '06-isr-shrink-expand',
    '07-min-insync-replicas',
    '08-offline-and-unclean',
    '09-reassign',
    '09b-reassign-zookeeper',
    '10-delete-topic',
    '11-add-partitions',
    '12-configs',
    '13-consumer-group',
    '14-transactions',
    '15-divergent-truncation',
    '21-log-dir-failure',
    '23-auto-leader-rebalance',
  ]) {
    it(`writes and sends the same in ${name}`, async () => {
      const { expected, actual } = await replayScenario(name);
      expect(actual.writes).toEqual(expected.writes);
      expect(actual.rpcs).toEqual(expected.rpcs);
    });
  }
});
