import type { BrokerConnection } from '@klassic/network';
import type { ApiName, RequestInit } from '@klassic/protocol';
import { connectTo } from './reference-broker.ts';

/** One request, with a name for messages. */
export interface Question {
  readonly name: string;
  readonly api: ApiName;
  readonly version: number;
  readonly body: RequestInit<ApiName>;
}

/** Lists whose order comes from a hash map of partitions, topics or loggers. */
const unordered = new Set([
  'topics',
  'partitions',
  'responses',
  'replicaElectionResults',
  'partitionResult',
  'entries',
]);

/** Asks a broker, and says what it answers as text in which ids, ports and orders by chance are the same everywhere. */
export class Interview {
  private readonly port: number;
  private connection: BrokerConnection;

  private constructor(port: number, connection: BrokerConnection) {
    this.port = port;
    this.connection = connection;
  }

  static async with(port: number): Promise<Interview> {
    return new Interview(port, await connectTo(port));
  }

  /** The answer, or `closed` when the broker closed the connection. */
  async ask({ api, version, body }: Question): Promise<string> {
    try {
      return JSON.stringify(plain(await this.connection.send(api, version, body)));
    } catch (error) {
      if (this.connection.isOpen) throw error;
      this.connection = await connectTo(this.port);
      return 'closed';
    }
  }

  close(): void {
    this.connection.close();
  }
}

/** A value without what differs from run to run. */
function plain(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => plain(item));
    return unordered.has(key) ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (typeof value === 'number' && Number.isNaN(value)) return 'NaN';
  if (typeof value !== 'object' || value === null) return value;
  const differing = new Set(['port', 'clusterId', 'topicId', 'throttleTimeMs', 'documentation']);
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => {
      const known = differing.has(name) && field !== null && field !== -1 && field !== '';
      return [name, known ? `<${name}>` : plain(field, name)];
    }),
  );
}
