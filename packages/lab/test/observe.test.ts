import { describe, expect, it } from '@jest/globals';
import { parseRequestLine } from '../src/observe/request-log.ts';
import { rpcStory } from '../src/observe/rpc-story.ts';
import { reportTraffic } from '../src/observe/traffic-report.ts';
import { diffSnapshots } from '../src/observe/znode-snapshot.ts';

describe('diffSnapshots', () => {
  it('tells what came, went and was written, and which fields changed', () => {
    const before = {
      '/brokers/ids/2': { version: 1, data: '{"port":9093}' },
      '/controller_epoch': { version: 1, data: '1' },
      '/state': { version: 0, data: '{"leader":2,"isr":[2,1],"version":1}' },
      '/same': { version: 4, data: 'x' },
    };
    const after = {
      '/brokers/ids/3': { version: 1, data: '' },
      '/controller_epoch': { version: 2, data: '2' },
      '/state': { version: 1, data: '{"leader":1,"isr":[1],"version":1}' },
      '/same': { version: 4, data: 'x' },
    };
    expect(diffSnapshots(before, after)).toEqual([
      '- /brokers/ids/2  {"port":9093}',
      '+ /brokers/ids/3',
      '~ /controller_epoch  version 1 → 2',
      '    1 → 2',
      '~ /state  version 0 → 1',
      '    leader: 2 → 1',
      '    isr: [2,1] → [1]',
    ]);
  });
});

describe('the request log', () => {
  const line = (name: string, clientId: string, request: object, response: object = {}): string =>
    '[2026-01-31 12:00:00,250] TRACE Completed request:' +
    JSON.stringify({
      isForwarded: false,
      requestHeader: { requestApiKey: 4, requestApiVersion: 4, correlationId: 3, clientId, requestApiKeyName: name },
      request,
      response,
      totalTimeMs: 50.5,
    }) +
    ' (kafka.request.logger)';
  const state = { partitionIndex: 1, leader: 3, leaderEpoch: 2, isr: [3, 1] };
  const topicStates = [
    { topicName: 'orders', partitionStates: [state] },
    { topicName: 'other', partitionStates: [state] },
  ];

  it('is read line by line; the request came in when it was answered less what it took', () => {
    const request = parseRequestLine(line('LEADER_AND_ISR', '1', {}), 3);
    expect(request).toMatchObject({ api: 'LEADER_AND_ISR', apiVersion: 4, clientId: '1', to: 3 });
    expect(request?.receivedAtMs).toBe(Date.parse('2026-01-31T12:00:00.250Z') - 50.5);
    expect(
      parseRequestLine('[2026-01-31 12:00:00,250] INFO something else (kafka.server.KafkaServer)', 3),
    ).toBeUndefined();
  });

  it('is told as who asked whom for what, fetches counted, clients left out', () => {
    const requests = [
      line('FETCH', 'broker-1-fetcher-0', {}),
      line('FETCH', 'broker-1-fetcher-0', {}),
      line('LEADER_AND_ISR', '1', { controllerEpoch: 5, topicStates }),
      line('UPDATE_METADATA', '1', { controllerEpoch: 5, topicStates: [], liveBrokers: [{ id: 3 }, { id: 1 }] }),
      line('METADATA', 'a-client', {}),
    ].map((text) => parseRequestLine(text, 3)!);
    expect(rpcStory(requests, 'orders').map((each) => each.replace(/^12:00:00.\d{3} {2}/, ''))).toEqual([
      'controller 1 → broker 3  LEADER_AND_ISR v4  controller epoch 5; orders-1 leader 3 epoch 2 isr [3,1]',
      'controller 1 → broker 3  UPDATE_METADATA v4  controller epoch 5; live brokers [1,3]',
      'broker 1 → broker 3  FETCH × 2',
    ]);
  });
});

describe('reportTraffic', () => {
  const sent = (value: number, waitedMs = 10) => ({ atMs: 0, kind: 'sent', partition: 0, value, waitedMs }) as const;
  const read = (value: number, offset: number) => ({ atMs: 0, kind: 'read', partition: 0, value, offset }) as const;

  it('counts what was acknowledged, read, read twice and lost', () => {
    const report = reportTraffic([sent(0), read(0, 0), sent(1, 5_400), sent(2), read(2, 1), read(2, 2), read(2, 2)]);
    expect(report.unread).toBe(1);
    expect(report.lines).toEqual([
      'partition 0: 3 acknowledged, 1 of them not read, longest wait 5.4 s, in order',
      'acknowledged 3, read 2, read twice 1, sends given up 0, not read 1',
    ]);
  });

  it('notices records out of order, and names troubles without addresses', () => {
    const trouble = {
      atMs: 0,
      kind: 'trouble',
      client: 'producer',
      error: 'connect ECONNREFUSED 127.0.0.1:9092',
    } as const;
    const report = reportTraffic([sent(0), sent(1), read(1, 0), read(0, 1), trouble, trouble]);
    expect(report.lines).toEqual([
      'partition 0: 2 acknowledged, 0 of them not read, longest wait 0.0 s, OUT OF ORDER',
      'seen by the producer: connect ECONNREFUSED (× 2)',
      'acknowledged 2, read 2, read twice 0, sends given up 0, not read 0',
    ]);
  });
});
