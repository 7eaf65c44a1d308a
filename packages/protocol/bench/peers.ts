// What kafkajs and @platformatic/kafka offer to compare with: their own decoders of responses, their own encoders of
// requests, and, where they have none because they are clients, the same message written with their writers.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** A body of the Metadata v6 response, as far as the peers can write it. */
export interface MetadataBody {
  brokers: { nodeId: number; host: string; port: number; rack: string | null }[];
  clusterId: string;
  controllerId: number;
  topics: {
    name: string;
    partitions: { partitionIndex: number; leaderId: number; replicaNodes: number[]; isrNodes: number[] }[];
  }[];
}

export interface FetchTopics {
  topic: string;
  partitions: { partition: number; currentLeaderEpoch: number; fetchOffset: number; partitionMaxBytes: number }[];
}

interface Encoder {
  buffer: Buffer;
  writeInt8(value: number): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeBoolean(value: boolean): Encoder;
  writeString(value: string | null): Encoder;
  writeBytes(value: Buffer): Encoder;
  writeArray(values: unknown[]): Encoder;
}

const KafkaJsEncoder = require('kafkajs/src/protocol/encoder') as new () => Encoder;
type Decode = (frame: Buffer) => Promise<unknown>;
const kafkaJsDecode = (api: string, version: number) =>
  (require(`kafkajs/src/protocol/requests/${api}/v${version}/response`) as { decode: Decode }).decode;
const kafkaJsFetchRequest = require('kafkajs/src/protocol/requests/fetch/v11/request') as (options: object) => {
  encode(): Promise<Encoder>;
};

export const kafkaJs = {
  decodeMetadata: kafkaJsDecode('metadata', 6),
  decodeFetch: kafkaJsDecode('fetch', 11),
  decodeProduce: kafkaJsDecode('produce', 7),

  async encodeFetch(topics: FetchTopics[]): Promise<Buffer> {
    const request = kafkaJsFetchRequest({
      replicaId: -1,
      maxWaitTime: 500,
      minBytes: 1,
      maxBytes: 52_428_800,
      topics: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, currentLeaderEpoch, fetchOffset, partitionMaxBytes }) => ({
          partition,
          currentLeaderEpoch,
          fetchOffset,
          maxBytes: partitionMaxBytes,
        })),
      })),
    });
    return (await request.encode()).buffer;
  },

  encodeMetadata(body: MetadataBody): Buffer {
    const broker = ({ nodeId, host, port, rack }: MetadataBody['brokers'][number]) =>
      new KafkaJsEncoder().writeInt32(nodeId).writeString(host).writeInt32(port).writeString(rack);
    const partition = (p: MetadataBody['topics'][number]['partitions'][number]) =>
      new KafkaJsEncoder()
        .writeInt16(0)
        .writeInt32(p.partitionIndex)
        .writeInt32(p.leaderId)
        .writeArray(p.replicaNodes)
        .writeArray(p.isrNodes)
        .writeArray([]);
    const topic = ({ name, partitions }: MetadataBody['topics'][number]) =>
      new KafkaJsEncoder().writeInt16(0).writeString(name).writeBoolean(false).writeArray(partitions.map(partition));
    return new KafkaJsEncoder()
      .writeInt32(0)
      .writeArray(body.brokers.map(broker))
      .writeString(body.clusterId)
      .writeInt32(body.controllerId)
      .writeArray(body.topics.map(topic)).buffer;
  },

  encodeProduce(topics: { name: string; partitions: { index: number; records: Buffer }[] }[]): Buffer {
    const partition = ({ index, records }: { index: number; records: Buffer }) =>
      new KafkaJsEncoder().writeInt32(index).writeBytes(records);
    return new KafkaJsEncoder()
      .writeString(null)
      .writeInt16(-1)
      .writeInt32(30_000)
      .writeArray(
        topics.map(({ name, partitions }) =>
          new KafkaJsEncoder().writeString(name).writeArray(partitions.map(partition)),
        ),
      ).buffer;
  },
};

interface Writer {
  buffer: Buffer;
  appendInt8(value: number): Writer;
  appendInt16(value: number): Writer;
  appendInt32(value: number): Writer;
  appendBoolean(value: boolean): Writer;
  appendString(value: string | null, compact: boolean): Writer;
  appendBytes(value: Buffer, compact: boolean): Writer;
  appendArray<T>(values: T[], write: (w: Writer, value: T) => void, compact: boolean, tagged: boolean): Writer;
}

type Parse = (correlationId: number, apiKey: number, apiVersion: number, reader: unknown) => unknown;

/** Its package has one door; the single encoders are behind it. */
const inside = async <T>(path: string): Promise<T> =>
  (await import(new URL(path, import.meta.resolve('@platformatic/kafka')).href)) as T;

const { Reader } = await inside<{ Reader: { from(buffer: Buffer): unknown } }>('./protocol/reader.js');
const { Writer } = await inside<{ Writer: { create(): Writer } }>('./protocol/writer.js');
const metadata = await inside<{ parseResponse: Parse }>('./apis/metadata/metadata-v6.js');
const fetch = await inside<{ parseResponse: Parse; createRequest(...args: unknown[]): Writer }>(
  './apis/consumer/fetch-v11.js',
);
const produce = await inside<{ parseResponse: Parse }>('./apis/producer/produce-v7.js');

export const platformatic = {
  decodeMetadata: (body: Buffer) => metadata.parseResponse(1, 3, 6, Reader.from(body)),
  decodeFetch: (body: Buffer) => fetch.parseResponse(1, 1, 11, Reader.from(body)),
  decodeProduce: (body: Buffer) => produce.parseResponse(1, 0, 7, Reader.from(body)),

  encodeFetch(topics: FetchTopics[]): Buffer {
    const named = topics.map(({ topic, partitions }) => ({
      topicId: topic,
      partitions: partitions.map((p) => ({ ...p, fetchOffset: BigInt(p.fetchOffset) })),
    }));
    return fetch.createRequest(500, 1, 52_428_800, 1, 0, -1, named, [], '').buffer;
  },

  encodeMetadata(body: MetadataBody): Buffer {
    return Writer.create()
      .appendInt32(0)
      .appendArray(
        body.brokers,
        (w, { nodeId, host, port, rack }) => {
          w.appendInt32(nodeId).appendString(host, false).appendInt32(port).appendString(rack, false);
        },
        false,
        false,
      )
      .appendString(body.clusterId, false)
      .appendInt32(body.controllerId)
      .appendArray(
        body.topics,
        (w, { name, partitions }) => {
          w.appendInt16(0).appendString(name, false).appendBoolean(false);
          w.appendArray(
            partitions,
            (v, p) => {
              const node = (u: Writer, id: number) => void u.appendInt32(id);
              v.appendInt16(0).appendInt32(p.partitionIndex).appendInt32(p.leaderId);
              v.appendArray(p.replicaNodes, node, false, false).appendArray(p.isrNodes, node, false, false);
              v.appendArray([], node, false, false);
            },
            false,
            false,
          );
        },
        false,
        false,
      ).buffer;
  },

  encodeProduce(topics: { name: string; partitions: { index: number; records: Buffer }[] }[]): Buffer {
    return Writer.create()
      .appendString(null, false)
      .appendInt16(-1)
      .appendInt32(30_000)
      .appendArray(
        topics,
        (w, { name, partitions }) => {
          w.appendString(name, false);
          const write = (v: Writer, p: { index: number; records: Buffer }) =>
            void v.appendInt32(p.index).appendBytes(p.records, false);
          w.appendArray(partitions, write, false, false);
        },
        false,
        false,
      ).buffer;
  },
};
