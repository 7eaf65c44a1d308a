import { afterEach, describe, expect, it } from '@jest/globals';
import { silentLogger, SystemTime } from '@klassic/common';
import type { LogLevel, LoggerFactory } from '@klassic/common';
import { BrokerConnection, SocketServer } from '@klassic/network';
import type { NetworkRequest } from '@klassic/network';
import { eventually } from '@klassic/test-support';
import { requestLogger } from '../../src/server/request-logger.ts';

const time = new SystemTime();
let server: SocketServer | undefined;
let connection: BrokerConnection | undefined;

afterEach(async () => {
  connection?.close();
  await server?.shutdown();
});

/** Collects what `kafka.request.logger` prints when it is set to a level. */
function loggersAt(level: LogLevel, lines: string[]): LoggerFactory {
  const order: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'OFF'];
  return () => ({
    ...silentLogger,
    isEnabled: (asked) => order.indexOf(asked) >= order.indexOf(level),
    trace: (message) => lines.push(`TRACE ${message}`),
    debug: (message) => lines.push(`DEBUG ${message}`),
  });
}

/** One Metadata request, answered after 30 ms by a broker that logs at a level. */
async function logged(level: LogLevel): Promise<{ lines: string[]; request: NetworkRequest }> {
  const lines: string[] = [];
  const requests: NetworkRequest[] = [];
  const onComplete = requestLogger(loggersAt(level, lines));
  server = new SocketServer({
    endPoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '127.0.0.1', port: 0 }],
    time,
    loggers: () => silentLogger,
    handler: (request) => {
      requests.push(request);
      request.throttle(5);
      time.schedule(30, () => (request as NetworkRequest<'Metadata'>).respond({ throttleTimeMs: 5, topics: [] }));
    },
    ...(onComplete === undefined ? {} : { onComplete }),
  });
  await server.start();
  server.startProcessingRequests();
  const port = server.boundPort('PLAINTEXT');
  const timeouts = { requestTimeoutMs: 30_000, connectTimeoutMs: 30_000 };
  connection = new BrokerConnection({ host: '127.0.0.1', port, clientId: 'c', codec: 'kafka', time, ...timeouts });
  await connection.connect();
  await connection.send('Metadata', 4, { topics: [{ name: 't' }], allowAutoTopicCreation: false });
  return { lines, request: requests[0]! };
}

type Line = Readonly<Record<string, unknown>>;

describe('the request log', () => {
  it('prints one line of JSON for a completed request, its fields in the order of the reference', async () => {
    const { lines, request } = await logged('TRACE');
    await eventually(() => lines.length > 0);
    expect(lines).toHaveLength(1);
    const [, level, json] = /^(\w+) Completed request:(\{.*\})$/.exec(lines[0]!)!;
    expect(level).toBe('TRACE');
    const line = JSON.parse(json!) as Line;
    expect(Object.keys(line)).toEqual([
      'isForwarded',
      'requestHeader',
      'request',
      'response',
      'connection',
      'totalTimeMs',
      'requestQueueTimeMs',
      'localTimeMs',
      'remoteTimeMs',
      'throttleTimeMs',
      'responseQueueTimeMs',
      'sendTimeMs',
      'securityProtocol',
      'principal',
      'listener',
      'clientInformation',
    ]);
    expect(JSON.stringify(line['requestHeader'])).toBe(
      '{"requestApiKey":3,"requestApiVersion":4,"correlationId":0,"clientId":"c","requestApiKeyName":"METADATA"}',
    );
    expect(JSON.stringify(line['request'])).toBe('{"topics":[{"name":"t"}],"allowAutoTopicCreation":false}');
    expect(JSON.stringify(line['response'])).toBe(
      '{"throttleTimeMs":5,"brokers":[],"clusterId":null,"controllerId":-1,"topics":[]}',
    );
    expect(line).toMatchObject({
      isForwarded: false,
      connection: request.context.connectionId,
      securityProtocol: 'PLAINTEXT',
      principal: 'User:ANONYMOUS',
      listener: 'PLAINTEXT',
      clientInformation: { softwareName: 'unknown', softwareVersion: 'unknown' },
    });
  });

  it('tells phases that add up to the whole; the throttle time comes on top', async () => {
    const { lines } = await logged('DEBUG');
    await eventually(() => lines.length > 0);
    expect(lines[0]).toMatch(/^DEBUG Completed request:/);
    const line = JSON.parse(lines[0]!.slice('DEBUG Completed request:'.length)) as Record<string, number>;
    const phases = ['requestQueueTimeMs', 'localTimeMs', 'remoteTimeMs', 'responseQueueTimeMs', 'sendTimeMs'];
    const sum = phases.reduce((total, phase) => total + line[phase]!, 0);
    for (const phase of phases) expect(line[phase]).toBeGreaterThanOrEqual(0);
    // Each is rounded to a microsecond.
    expect(Math.abs(sum - line['totalTimeMs']!)).toBeLessThan(0.005);
    expect(line['remoteTimeMs']).toBeGreaterThan(25);
    expect(line['localTimeMs']).toBeLessThan(line['remoteTimeMs']!);
    expect(line['throttleTimeMs']).toBe(5);
  });

  it('costs nothing where nobody listens', () => {
    expect(requestLogger(loggersAt('INFO', []))).toBeUndefined();
  });
});
