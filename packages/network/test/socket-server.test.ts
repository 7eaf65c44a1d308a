import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { nextInt, SeededRandom } from '@klassic/common';
import { encodeRequestFrame } from '@klassic/protocol';
import type { Codec, RequestOf } from '@klassic/protocol';
import { eventually } from '@klassic/test-support';
import { DisconnectError, RequestTimeoutError, SocketServer, SocketServerError } from '../src/index.ts';
import type { BrokerConnection, NetworkRequest, RequestTimings } from '../src/index.ts';
import { closeKept, collectingLoggers, connectTo, keep, startServer, time } from './loopback.ts';

const codecs: Codec[] = ['kafka', 'msgpack'];
afterEach(closeKept);

/** Answers Metadata with the asked names, Produce by nothing. */
function echo(request: NetworkRequest): void {
  if (request.api === 'Produce') {
    request.noResponse();
  } else if (request.api === 'ApiVersions') {
    (request as NetworkRequest<'ApiVersions'>).respond({ errorCode: request.unsupportedVersion ? 35 : 0 });
  } else {
    const { topics } = request.body as RequestOf<'Metadata'>;
    (request as NetworkRequest<'Metadata'>).respond({ topics: (topics ?? []).map(({ name }) => ({ name: name! })) });
  }
}

function askFor(connection: BrokerConnection, name: string) {
  return connection.send('Metadata', 4, { topics: [{ name }] });
}

/** Opens a plain socket, and resolves when the server has closed it. */
function rawSocket(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = keep(connect({ host: '127.0.0.1', port }, () => socket.write(bytes)));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET') reject(error);
    });
    socket.on('close', () => {
      resolve();
    });
    socket.resume();
  });
}

describe.each(codecs)('SocketServer and BrokerConnection in %s', (codec) => {
  it('answers pipelined requests in their order', async () => {
    const waiting: NetworkRequest[] = [];
    const { port } = keep(await startServer((request) => waiting.push(request)));
    const connection = keep(await connectTo(port, codec));
    const names = Array.from({ length: 20 }, (_, index) => `t${index}`);
    const answers = Promise.all(names.map((name) => askFor(connection, name)));
    for (const _name of names) {
      await eventually(() => waiting.length > 0);
      // One at a time: the next is not handed on before this one is answered.
      expect(waiting).toHaveLength(1);
      echo(waiting.shift()!);
    }
    expect((await answers).map(({ topics }) => topics[0]!.name)).toEqual(names);
  });

  it('tells the handler where a request comes from', async () => {
    const seen: NetworkRequest[] = [];
    const { port } = keep(
      await startServer((request) => {
        seen.push(request);
        echo(request);
      }),
    );
    const connection = keep(await connectTo(port, codec));
    await connection.send('ApiVersions', 3, { clientSoftwareName: 'jest', clientSoftwareVersion: '30.1' });
    await askFor(connection, 't');
    const [, request] = seen;
    expect(request!.context).toMatchObject({
      connectionId: expect.stringMatching(`^127\\.0\\.0\\.1:${port}-127\\.0\\.0\\.1:\\d+-0$`),
      listenerName: 'PLAINTEXT',
      clientAddress: '127.0.0.1',
      codec,
      clientInformation: { softwareName: 'jest', softwareVersion: '30.1' },
    });
    expect(request!.header).toEqual({ apiKey: 3, apiVersion: 4, correlationId: 1, clientId: 'test' });
  });

  it('carries large frames over many chunks and under back-pressure', async () => {
    const { port } = keep(
      await startServer((request) => {
        const { topicData } = request.body as RequestOf<'Produce'>;
        (request as NetworkRequest<'Produce'>).respond({
          responses: [
            { name: 'x', partitionResponses: [{ baseOffset: topicData[0]!.partitionData[0]!.records!.length }] },
          ],
        });
      }),
    );
    const connection = keep(await connectTo(port, codec));
    const sizes = [3_000_000, 1, 70_000, 5_000_000];
    const answers = await Promise.all(
      sizes.map((size) =>
        connection.send('Produce', 7, {
          acks: 1,
          topicData: [{ name: 'x', partitionData: [{ records: Buffer.alloc(size) }] }],
        }),
      ),
    );
    expect(answers.map(({ responses }) => responses[0]!.partitionResponses[0]!.baseOffset)).toEqual(sizes);
  });

  it('tells once an answer is out, and never of one that could not be sent', async () => {
    const sent: string[] = [];
    const waiting: NetworkRequest[] = [];
    const { server, port } = keep(
      await startServer((request) => {
        const { name } = (request.body as RequestOf<'Metadata'>).topics![0]!;
        request.whenSent(() => sent.push(name!));
        if (name === 'late') waiting.push(request);
        else echo(request);
      }),
    );
    const connection = keep(await connectTo(port, codec));
    await askFor(connection, 'a');
    await askFor(connection, 'b');
    expect(sent).toEqual(['a', 'b']);
    const late = askFor(connection, 'late');
    await eventually(() => waiting.length === 1);
    connection.close();
    await expect(late).rejects.toThrow();
    await eventually(() => server.connectionCount === 0);
    echo(waiting[0]!);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toEqual(['a', 'b']);
  });

  it('goes on after a request without an answer', async () => {
    const { port } = keep(await startServer(echo));
    const connection = keep(await connectTo(port, codec));
    await connection.sendOneWay('Produce', 7, { acks: 0 });
    expect((await askFor(connection, 'after')).topics[0]!.name).toBe('after');
  });

  it('times each completed request', async () => {
    const completed: [string, unknown, RequestTimings][] = [];
    const onComplete = (request: NetworkRequest, response: unknown, timings: RequestTimings) => {
      completed.push([request.api, response, timings]);
    };
    const { port } = keep(
      await startServer(
        (request) => {
          time.schedule(20, () => {
            echo(request);
          });
        },
        { onComplete },
      ),
    );
    const connection = keep(await connectTo(port, codec));
    await askFor(connection, 't');
    await eventually(() => completed.length === 1);
    const [api, response, timings] = completed[0]!;
    expect(api).toBe('Metadata');
    expect(response).toEqual({ topics: [{ name: 't' }] });
    expect(timings.remoteTimeMs).toBeGreaterThan(15);
    const { requestQueueTimeMs, localTimeMs, remoteTimeMs, responseQueueTimeMs, sendTimeMs } = timings;
    const sum = requestQueueTimeMs + localTimeMs + remoteTimeMs + responseQueueTimeMs + sendTimeMs;
    expect(timings.totalTimeMs).toBeCloseTo(sum, 6);
  });

  it('fails what is in flight when an answer is late, and closes', async () => {
    const { port } = keep(await startServer(() => undefined));
    const connection = keep(await connectTo(port, codec, 50));
    const late = askFor(connection, 't');
    const behind = connection.send('Metadata', 4, {}, { timeoutMs: 5_000 });
    await expect(late).rejects.toThrow(RequestTimeoutError);
    await expect(behind).rejects.toThrow(DisconnectError);
    expect(connection.isOpen).toBe(false);
  });

  it('fails what is in flight when the server closes', async () => {
    const { port } = keep(
      await startServer((request) => {
        request.closeConnection();
      }),
    );
    const connection = keep(await connectTo(port, codec));
    await expect(askFor(connection, 't')).rejects.toThrow(DisconnectError);
  });

  it('closes the connection at a frame cut short inside, with one line', async () => {
    const { port, lines } = keep(await startServer(echo));
    const frame = Buffer.concat(encodeRequestFrame(codec, 'Metadata', 4, 7, 'test', { topics: [{ name: 'topic' }] }));
    const cut = Buffer.from(frame.subarray(0, frame.length - 3));
    cut.writeInt32BE(cut.length - 4);
    await rawSocket(port, cut);
    expect(lines.filter((line) => line.includes('Closing the connection'))).toHaveLength(1);
  });
});

describe('SocketServer', () => {
  it('hands on ApiVersions of an unknown version, and answers it in version 0', async () => {
    const { port } = keep(await startServer(echo));
    const frame = Buffer.concat(encodeRequestFrame('kafka', 'ApiVersions', 3, 9, 'test', {}));
    frame.writeInt16BE(99, 6);
    const answer = await new Promise<Buffer>((resolve) => {
      const socket = keep(connect({ host: '127.0.0.1', port }, () => socket.write(frame)));
      socket.once('data', resolve);
    });
    // size, correlation id, error code 35, no API keys
    expect(answer.toString('hex')).toBe('0000000a' + '00000009' + '0023' + '00000000');
  });

  it.each([
    ['an unknown api key', Buffer.from('0000000a7fff0000000000010000', 'hex')],
    ['an API of KRaft alone', Buffer.from('0000000a00340000000000010000', 'hex')],
    ['an unknown version', Buffer.from('0000000a00037fff000000010000', 'hex')],
    ['a size of 0', Buffer.from('00000000', 'hex')],
    ['a negative size', Buffer.from('ffffffff', 'hex')],
    ['a size beyond the limit', Buffer.from('7fffffff', 'hex')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('closes at %s with one line, and serves the others', async (_name, bytes) => {
    const { port, lines } = keep(await startServer(echo));
    const other = keep(await connectTo(port, 'kafka'));
    await askFor(other, 't');
    lines.length = 0;
    await rawSocket(port, bytes);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^kafka\.network\.SocketServer: .*Closing the connection 127\.0\.0\.1:/);
    await askFor(other, 't');
  });

  it('survives frames of nonsense', async () => {
    const seed = 9092;
    const random = new SeededRandom(seed);
    const { port, server } = keep(await startServer(echo, { config: { maxRequestBytes: 1 << 20 } }));
    const good = codecs.map((codec) =>
      Buffer.concat(encodeRequestFrame(codec, 'Metadata', 9, 7, 'test', { topics: [{ name: 'topic' }] })),
    );
    for (let round = 0; round < 100; round += 1) {
      const frame = Buffer.from(good[round % 2]!);
      for (let times = 0; times < 3; times += 1) frame[4 + nextInt(random, frame.length - 4)] = nextInt(random, 256);
      const socket = keep(connect({ host: '127.0.0.1', port }, () => socket.end(frame)));
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.resume().on('close', resolve));
    }
    const connection = keep(await connectTo(port, 'msgpack'));
    expect((await askFor(connection, `seed ${seed}`)).topics).toHaveLength(1);
    await eventually(() => server.connectionCount === 1);
  });

  it('says in one line that a port is taken', async () => {
    const { port } = keep(await startServer(echo));
    const second = new SocketServer({
      endPoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '127.0.0.1', port }],
      time,
      loggers: collectingLoggers([]),
      handler: echo,
    });
    const failure = await second.start().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SocketServerError);
    expect((failure as Error).message).toBe(
      `Socket server failed to bind to 127.0.0.1:${port}: Address already in use.`,
    );
  });

  it('lets clients connect, but wait, before requests are processed', async () => {
    const server = new SocketServer({
      endPoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '127.0.0.1', port: 0 }],
      time,
      loggers: collectingLoggers([]),
      handler: echo,
    });
    await server.start();
    const port = server.boundPort('PLAINTEXT');
    keep({ server, port, lines: [] });
    const answer = askFor(keep(await connectTo(port, 'kafka')), 'early');
    expect(server.connectionCount).toBe(0);
    server.startProcessingRequests();
    expect((await answer).topics[0]!.name).toBe('early');
  });

  it('refuses connections of one address beyond its limit', async () => {
    const { port, lines } = keep(await startServer(echo, { config: { maxConnectionsPerIp: 1 } }));
    await askFor(keep(await connectTo(port, 'kafka')), 't');
    await rawSocket(port, Buffer.alloc(0));
    expect(lines.at(-1)).toContain('address already has the configured maximum of 1 connections.');
  });

  it('lets connections beyond max.connections wait for room', async () => {
    const { port, server } = keep(await startServer(echo, { config: { maxConnections: 1 } }));
    const first = keep(await connectTo(port, 'kafka'));
    await askFor(first, 't');
    const answer = askFor(keep(await connectTo(port, 'msgpack')), 'second');
    expect(server.connectionCount).toBe(1);
    first.close();
    expect((await answer).topics[0]!.name).toBe('second');
  });

  it('closes idle connections', async () => {
    const { port } = keep(await startServer(echo, { config: { connectionsMaxIdleMs: 30 } }));
    const connection = keep(await connectTo(port, 'kafka'));
    await new Promise<void>((resolve) => {
      connection.onClose(() => {
        resolve();
      });
    });
    expect(connection.isOpen).toBe(false);
  });
});

describe('BrokerConnection', () => {
  it('says that nobody listens', async () => {
    const { port, server } = await startServer(echo);
    await server.shutdown();
    await expect(connectTo(port, 'kafka')).rejects.toThrow(
      `Connection to 127.0.0.1:${port} could not be established. Broker may not be available (ECONNREFUSED)`,
    );
  });

  it('closes when the answer is not the one that was due', async () => {
    const { createServer } = await import('node:net');
    const server = createServer((socket) => {
      socket.once('data', () => socket.write(Buffer.from('0000000400000063', 'hex')));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const connection = keep(await connectTo(port, 'kafka'));
    await expect(connection.send('Heartbeat', 0, {})).rejects.toThrow(DisconnectError);
    server.close();
  });
});
