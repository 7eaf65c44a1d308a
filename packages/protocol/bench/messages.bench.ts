// Messages, beside kafkajs and @platformatic/kafka in the same run:
//   node --conditions=klassic-source packages/protocol/bench/messages.bench.ts
// `nothing but the body` on all sides: no connection, no header but ours.
import { bench, do_not_optimize, group, run, summary } from 'mitata';
import {
  apis,
  decodeMessage,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponseFrame,
  encodeMessage,
  encodeRequestFrame,
  encodeResponseFrame,
} from '../src/index.ts';
import type { Codec } from '../src/index.ts';
import { kafkaJs, platformatic } from './peers.ts';

const TOPICS = 10;
const codecs: readonly Codec[] = ['kafka', 'msgpack'];
const named = <T>(make: (topic: string, index: number) => T): T[] =>
  Array.from({ length: TOPICS }, (_, i) => make(`payments-eu-${i}`, i));
const upTo = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

const metadata = {
  brokers: upTo(6, (nodeId) => ({ nodeId, host: `broker-${nodeId}.example.com`, port: 9092, rack: null })),
  clusterId: 'dGhpcyBpcyBhIGNsdXN0ZXI',
  controllerId: 1,
  topics: named((name) => ({
    name,
    partitions: upTo(1000 / TOPICS, (partitionIndex) => ({
      partitionIndex,
      leaderId: partitionIndex % 6,
      leaderEpoch: 4,
      replicaNodes: [0, 1, 2],
      isrNodes: [0, 1, 2],
    })),
  })),
};

const fetchRequest = {
  replicaId: -1,
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 52_428_800,
  isolationLevel: 1,
  sessionEpoch: -1,
  topics: named((topic, t) => ({
    topic,
    partitions: upTo(100 / TOPICS, (partition) => ({
      partition,
      currentLeaderEpoch: 3,
      fetchOffset: 1_000_000 * t + partition,
      partitionMaxBytes: 1_048_576,
    })),
  })),
};

const fetchResponse = {
  responses: named((topic) => ({
    topic,
    partitionResponses: upTo(100 / TOPICS, (partition) => ({
      partition,
      highWatermark: 5_000_000,
      lastStableOffset: 5_000_000,
      logStartOffset: 0,
      recordSet: Buffer.alloc(0),
    })),
  })),
};

const records = Buffer.alloc(100);
const produceRequest = {
  acks: -1,
  timeoutMs: 30_000,
  topicData: named((name) => ({ name, partitionData: upTo(100 / TOPICS, (index) => ({ index, records })) })),
};
const produceTopics = produceRequest.topicData.map(({ name, partitionData }) => ({ name, partitions: partitionData }));

const produceResponse = {
  responses: named((name) => ({
    name,
    partitionResponses: upTo(100 / TOPICS, (index) => ({ index, baseOffset: 123_456_789, logStartOffset: 12 })),
  })),
};

group('encode Metadata response v6, 1,000 partitions', () => {
  summary(() => {
    for (const codec of codecs) {
      bench(`klassic, ${codec}`, () => do_not_optimize(encodeResponseFrame(codec, 'Metadata', 6, 1, metadata)));
    }
    bench("kafkajs' encoder", () => do_not_optimize(kafkaJs.encodeMetadata(metadata)));
    bench("@platformatic/kafka's writer", () => do_not_optimize(platformatic.encodeMetadata(metadata)));
  });
});

group('decode Metadata response v6, 1,000 partitions', () => {
  summary(() => {
    for (const codec of codecs) {
      const frame = Buffer.concat(encodeResponseFrame(codec, 'Metadata', 6, 1, metadata)).subarray(4);
      bench(`klassic, ${codec}`, () => do_not_optimize(decodeResponseFrame(codec, 'Metadata', 6, frame)));
    }
    const body = encodeMessage(apis.Metadata.response, 6, metadata);
    bench('kafkajs', async () => do_not_optimize(await kafkaJs.decodeMetadata(body)));
    bench('@platformatic/kafka', () => do_not_optimize(platformatic.decodeMetadata(body)));
  });
});

group('encode Fetch request v11, 100 partitions', () => {
  summary(() => {
    for (const codec of codecs) {
      bench(`klassic, ${codec}`, () =>
        do_not_optimize(encodeRequestFrame(codec, 'Fetch', 11, 1, 'client', fetchRequest)),
      );
    }
    bench('kafkajs', async () => do_not_optimize(await kafkaJs.encodeFetch(fetchRequest.topics)));
    bench('@platformatic/kafka', () => do_not_optimize(platformatic.encodeFetch(fetchRequest.topics)));
  });
});

group('decode Fetch response v11, 100 partitions without records', () => {
  summary(() => {
    for (const codec of codecs) {
      const frame = Buffer.concat(encodeResponseFrame(codec, 'Fetch', 11, 1, fetchResponse)).subarray(4);
      bench(`klassic, ${codec}`, () => do_not_optimize(decodeResponseFrame(codec, 'Fetch', 11, frame)));
    }
    const body = encodeMessage(apis.Fetch.response, 11, fetchResponse);
    bench('kafkajs', async () => do_not_optimize(await kafkaJs.decodeFetch(body)));
    bench('@platformatic/kafka', () => do_not_optimize(platformatic.decodeFetch(body)));
  });
});

group('encode Produce request v7, 100 partitions of 100 bytes', () => {
  summary(() => {
    for (const codec of codecs) {
      bench(`klassic, ${codec}`, () =>
        do_not_optimize(encodeRequestFrame(codec, 'Produce', 7, 1, 'client', produceRequest)),
      );
    }
    bench("kafkajs' encoder", () => do_not_optimize(kafkaJs.encodeProduce(produceTopics)));
    bench("@platformatic/kafka's writer", () => do_not_optimize(platformatic.encodeProduce(produceTopics)));
  });
});

group('decode Produce response v7, 100 partitions', () => {
  summary(() => {
    for (const codec of codecs) {
      const frame = Buffer.concat(encodeResponseFrame(codec, 'Produce', 7, 1, produceResponse)).subarray(4);
      bench(`klassic, ${codec}`, () => do_not_optimize(decodeResponseFrame(codec, 'Produce', 7, frame)));
    }
    const body = encodeMessage(apis.Produce.response, 7, produceResponse);
    bench('kafkajs', async () => do_not_optimize(await kafkaJs.decodeProduce(body)));
    bench('@platformatic/kafka', () => do_not_optimize(platformatic.decodeProduce(body)));
  });
});

group('the broker alone: decode Fetch request v11 and Produce request v7, encode Fetch response v11', () => {
  for (const codec of codecs) {
    for (const [api, version, body] of [
      ['Fetch', 11, fetchRequest],
      ['Produce', 7, produceRequest],
    ] as const) {
      const frame = Buffer.concat(encodeRequestFrame(codec, api, version, 1, 'client', body)).subarray(4);
      bench(`decode ${api} request, ${codec}`, () =>
        do_not_optimize(decodeRequestBody(codec, frame, decodeRequestHeader(codec, frame))),
      );
    }
    bench(`encode Fetch response, ${codec}`, () =>
      do_not_optimize(encodeResponseFrame(codec, 'Fetch', 11, 1, fetchResponse)),
    );
  }
  const heartbeat = encodeMessage(apis.Heartbeat.request, 0, { groupId: 'group', memberId: 'member' });
  bench('decode Heartbeat request, body', () => do_not_optimize(decodeMessage(apis.Heartbeat.request, 0, heartbeat)));
});

await run();
