import { Producer } from '@klassic/client';
import type { Codec } from '@klassic/protocol';
import { eventually, messageOf, sleep } from '@klassic/lab';
import { kafkaJs } from '../kafkajs.ts';
import { recordValue } from './history.ts';
import type { History } from './history.ts';

export interface LoadOptions {
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  readonly history: History;
}

/** Producers that write idempotently with acks=all to every partition until they are stopped. */
export interface Load {
  /** Ends sending, and waits until everything sent is acknowledged or given up. */
  stop(): Promise<void>;
}

/** Pause between two rounds over all partitions, in milliseconds. */
const pauseMs = 10;
/** So many records of one producer wait for their acknowledgement at most. */
const mostInFlight = 500;
/** No record is given up while a fault lasts, or several do. */
const deliveryTimeoutMs = 240_000;

/** This project's own producer, with five requests in flight. */
export function startOwnProducer(name: string, codec: Codec, options: LoadOptions): Load {
  const { history, topic, partitions, bootstrapServers } = options;
  const producer = new Producer({
    bootstrapServers,
    codec,
    clientId: name,
    acks: 'all',
    enableIdempotence: true,
    lingerMs: 2,
    requestTimeoutMs: 10_000,
    maxBlockMs: deliveryTimeoutMs,
    deliveryTimeoutMs,
  });
  let stopping = false;
  let inFlight = 0;
  const send = async (partition: number, value: string): Promise<void> => {
    inFlight += 1;
    try {
      const { offset } = await producer.send({ topic, partition, value });
      history.acknowledged.set(value, { partition, offset });
    } catch (error) {
      history.unsure.add(value);
      history.noteTrouble(name, messageOf(error));
    } finally {
      inFlight -= 1;
    }
  };
  const run = async (): Promise<void> => {
    const sends: Promise<void>[] = [];
    for (let count = 0; !stopping; count += 1) {
      for (let partition = 0; partition < partitions; partition += 1) {
        sends.push(send(partition, recordValue(name, partition, count)));
      }
      while (inFlight > mostInFlight) await sleep(pauseMs);
      await sleep(pauseMs);
    }
    await Promise.all(sends);
    await producer.close();
  };
  return stopper(run(), () => (stopping = true));
}

/** kafkajs, one request at a time. */
export function startKafkaJsProducer(name: string, options: LoadOptions): Load {
  const { history, topic, partitions, bootstrapServers } = options;
  let stopping = false;
  const kafka = kafkaJs(bootstrapServers, { onTrouble: (line) => history.noteTrouble(name, line) });
  const run = async (): Promise<void> => {
    const counts = Array.from({ length: partitions }, () => 0);
    while (!stopping) {
      // After a send that failed kafkajs gives the next record the same sequence: only a new producer id is safe.
      const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
      // It asks the controller for its producer id, and while there is none gives up at once.
      await eventually(() => producer.connect().then(() => true), { timeoutMs: deliveryTimeoutMs, what: 'kafkajs' });
      let hasFailed = false;
      while (!stopping && !hasFailed) {
        for (let partition = 0; partition < partitions && !hasFailed; partition += 1) {
          const value = recordValue(name, partition, counts[partition]!++);
          try {
            await producer.send({ topic, acks: -1, messages: [{ partition, value }] });
            history.acknowledged.set(value, { partition, offset: -1 });
          } catch (error) {
            hasFailed = true;
            history.unsure.add(value);
            history.noteTrouble(name, messageOf(error));
          }
        }
        await sleep(pauseMs);
      }
      await producer.disconnect();
    }
  };
  return stopper(run(), () => (stopping = true));
}

function stopper(running: Promise<void>, beginStop: () => void): Load {
  let failure: unknown;
  let ended = false;
  const settled = running.catch((error: unknown) => (failure = error)).finally(() => (ended = true));
  return {
    stop: async () => {
      beginStop();
      await eventually(() => ended, { timeoutMs: deliveryTimeoutMs, what: 'the end of a producer' });
      await settled;
      if (failure !== undefined) throw failure as Error;
    },
  };
}
