import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { SystemTime } from '@klassic/common';
import { BrokerConnection } from '@klassic/network';
import { eventually, freePort, temporaryFolder } from '@klassic/test-support';
import { startKafka } from '../../../log/test/reference-kafka.ts';

export interface ReferenceBroker {
  readonly port: number;
  stop(): void;
}

/** Starts one broker of the original and waits until it answers. @param settings over the least that it needs */
export async function startReferenceBroker(
  zooKeeperConnect: string,
  settings: Readonly<Record<string, string>>,
): Promise<ReferenceBroker> {
  const port = await freePort();
  const folder = temporaryFolder('reference-broker');
  const file = join(folder, 'server.properties');
  const all = {
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': join(folder, 'data'),
    'zookeeper.connect': zooKeeperConnect,
    'inter.broker.protocol.version': '2.6',
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  writeFileSync(file, lines.join('\n'));
  const child = startKafka('kafka.Kafka', [file]);
  const stop = (): void => void child.kill('SIGKILL');
  try {
    await eventually(() => answers(port), { timeoutMs: 120_000, what: 'the original’s broker' });
  } catch (error) {
    stop();
    throw error;
  }
  return { port, stop };
}

/** A connection that speaks Kafka's protocol, as any client's. */
export async function connectTo(port: number): Promise<BrokerConnection> {
  const connection = new BrokerConnection({
    host: '127.0.0.1',
    port,
    clientId: 'reference',
    codec: 'kafka',
    time: new SystemTime(),
    requestTimeoutMs: 60_000,
  });
  await connection.connect();
  return connection;
}

async function answers(port: number): Promise<boolean> {
  let connection: BrokerConnection | undefined;
  try {
    connection = await connectTo(port);
    const { brokers, controllerId } = await connection.send('Metadata', 9, { topics: [] });
    return brokers.length === 1 && controllerId === brokers[0]!.nodeId;
  } catch {
    // Not up yet: asked again.
    return false;
  } finally {
    connection?.close();
  }
}
