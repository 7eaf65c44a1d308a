import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MockTime } from '@klassic/common';
import { encodeRequestFrame } from '@klassic/protocol';
import { eventually } from '@klassic/test-support';
import { ConnectionQuotas } from '../src/connection-quotas.ts';
import { RequestChannel } from '../src/request-channel.ts';
import type { ServerRequest } from '../src/server-request.ts';
import { defaultSocketServerConfig } from '../src/index.ts';
import type { NetworkRequest } from '../src/index.ts';
import { closeKept, connectTo, keep, startServer, time } from './loopback.ts';

afterEach(closeKept);

function answer(request: NetworkRequest): void {
  (request as NetworkRequest<'Metadata'>).respond({ topics: [] });
}

/** A Metadata request as it goes over the wire. */
function metadataFrame(correlationId: number): Buffer {
  return Buffer.concat(encodeRequestFrame('kafka', 'Metadata', 4, correlationId, 'test', { topics: [] }));
}

/** Sends bytes, and collects the correlation ids of the answers until the server has closed the connection. */
function rawAnswers(port: number, bytes: Buffer): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = keep(connect({ host: '127.0.0.1', port }, () => socket.write(bytes)));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const received = Buffer.concat(chunks);
      const ids: number[] = [];
      for (let at = 0; at < received.length; at += 4 + received.readInt32BE(at)) ids.push(received.readInt32BE(at + 4));
      resolve(ids);
    });
  });
}

describe('a connection', () => {
  it('answers what came whole before a bad frame, and is closed then', async () => {
    const waiting: NetworkRequest[] = [];
    const { port, lines } = keep(await startServer((request) => waiting.push(request)));
    const answers = rawAnswers(port, Buffer.concat([metadataFrame(1), metadataFrame(2), Buffer.from([0xff, 0, 0, 0])]));
    for (let count = 0; count < 2; count += 1) {
      await eventually(() => waiting.length > 0);
      answer(waiting.shift()!);
    }
    expect(await answers).toEqual([1, 2]);
    expect(lines.at(-1)).toContain('Invalid receive (size = -16777216)');
  });

  it('is answered at once when its client is above a quota, and begins its next request when the time is over', async () => {
    const begun: number[] = [];
    const { port } = keep(
      await startServer((request) => {
        begun.push(time.hiResMs());
        if (begun.length === 1) {
          request.throttle(500);
          request.throttle(1_500);
          request.throttle(200);
        }
        answer(request);
      }),
    );
    const connection = keep(await connectTo(port, 'kafka'));
    const startedMs = time.hiResMs();
    await connection.send('Metadata', 4, { topics: [] });
    const answeredMs = time.hiResMs() - startedMs;
    await connection.send('Metadata', 4, { topics: [] });
    expect(begun[1]! - begun[0]!).toBeGreaterThanOrEqual(1_499);
    expect(answeredMs).toBeLessThan(begun[1]! - begun[0]!);
  });
});

describe('RequestChannel', () => {
  /** A clock that goes on by what each request takes. */
  class WorkTime extends MockTime {
    workedMs = 0;
    override hiResMs(): number {
      return super.hiResMs() + this.workedMs;
    }
  }

  function request(name: string): ServerRequest {
    return { name, localCompleteHiResMs: undefined } as unknown as ServerRequest;
  }

  function channel(maxQueuedRequests: number, takesMs: number) {
    const workTime = new WorkTime();
    const handled: string[] = [];
    const subject = new RequestChannel({
      maxQueuedRequests,
      time: workTime,
      handler: (each) => {
        workTime.workedMs += takesMs;
        handled.push((each as unknown as { name: string }).name);
      },
    });
    return { subject, handled, workTime };
  }

  it('hands requests on at once while the thread keeps up', async () => {
    const { subject, handled, workTime } = channel(10, 1);
    for (let index = 0; index < 100; index += 1) {
      subject.send(request(String(index)));
      await workTime.advance(2);
    }
    expect(handled).toHaveLength(100);
    expect(subject.requestQueueSize).toBe(0);
    expect(subject.handlerBusyMs).toBe(100);
  });

  it('queues a flood, in order, and lets everything else have its turn in between', async () => {
    const { subject, handled, workTime } = channel(100, 5);
    let turns = 0;
    for (let index = 0; index < 20; index += 1) subject.send(request(String(index)));
    // Four requests of 5 ms are a burst.
    expect(handled).toEqual(['0', '1', '2', '3']);
    expect(subject.requestQueueSize).toBe(16);
    const count = (): void => {
      turns += 1;
      if (subject.requestQueueSize > 0) workTime.soon(count);
    };
    workTime.soon(count);
    await workTime.advance(1);
    expect(handled).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
    expect(turns).toBeGreaterThanOrEqual(4);
  });

  it('is full at queued.max.requests, and calls who waits for room when there is some, one at a time', async () => {
    const { subject, handled, workTime } = channel(2, 25);
    subject.send(request('handled'));
    subject.send(request('queued 1'));
    expect(subject.isFull).toBe(false);
    subject.send(request('queued 2'));
    expect(subject.isFull).toBe(true);
    const resumed: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      subject.awaitRoom({
        resume: () => {
          resumed.push(name);
          subject.send(request(name));
        },
      });
    }
    await workTime.advance(1);
    expect(resumed).toEqual(['a', 'b', 'c']);
    expect(handled).toEqual(['handled', 'queued 1', 'queued 2', 'a', 'b', 'c']);
  });

  it('drops the request of a connection that has ended, and makes room for another', async () => {
    const { subject, handled, workTime } = channel(1, 25);
    subject.send(request('handled'));
    const gone = request('gone');
    subject.send(gone);
    const owner = { resume: () => undefined };
    subject.awaitRoom({ resume: () => subject.send(request('next')) });
    subject.forget(owner, gone);
    await workTime.advance(1);
    expect(handled).toEqual(['handled', 'next']);
  });

  it('does not read sockets while it is full', async () => {
    let release = false;
    const handled: NetworkRequest[] = [];
    const { port, server } = keep(
      await startServer(
        (each) => {
          handled.push(each);
          // The first one takes longer than a burst: those that come meanwhile find the thread busy.
          const until = time.hiResMs() + (release ? 0 : 25);
          while (time.hiResMs() < until);
          answer(each);
        },
        { config: { queuedMaxRequests: 1 } },
      ),
    );
    const connections = await Promise.all(Array.from({ length: 8 }, () => connectTo(port, 'kafka')));
    const answers = connections.map((each) => keep(each).send('Metadata', 4, { topics: [] }));
    await eventually(() => handled.length >= 2);
    expect(server.requestQueueSize).toBeLessThanOrEqual(1);
    release = true;
    expect(await Promise.all(answers)).toHaveLength(8);
  });
});

describe('ConnectionQuotas', () => {
  const windows = { samples: 11, windowMs: 1000 };
  const start = 1_600_000_000_000;

  it('refuses one more of an address, by its own limit where it has one', () => {
    const quotas = new ConnectionQuotas(
      {
        ...defaultSocketServerConfig,
        maxConnectionsPerIp: 1,
        maxConnectionsPerIpOverrides: new Map([['10.0.0.2', 2]]),
      },
      windows,
    );
    for (const [address, limit] of [
      ['10.0.0.1', 1],
      ['10.0.0.2', 2],
    ] as const) {
      for (let count = 0; count < limit; count += 1) {
        expect(quotas.arrive(address, 'A', start).kind).toBe('admit');
        quotas.add(address, 'A');
      }
      expect(quotas.arrive(address, 'A', start)).toMatchObject({ kind: 'refuse', delayMs: 0 });
    }
    quotas.remove('10.0.0.1', 'A');
    expect(quotas.arrive('10.0.0.1', 'A', start).kind).toBe('admit');
  });

  it('has room on the inter-broker listener whatever max.connections says, but not beyond the listener’s own limit', () => {
    const limits = {
      ...defaultSocketServerConfig,
      maxConnections: 2,
      maxListenerConnections: new Map([['BROKER', 3]]),
      protectedListener: 'BROKER',
    };
    const quotas = new ConnectionQuotas(limits, windows);
    quotas.add('10.0.0.1', 'CLIENT');
    quotas.add('10.0.0.1', 'CLIENT');
    expect(quotas.hasRoom('CLIENT')).toBe(false);
    for (let count = 0; count < 3; count += 1) {
      expect(quotas.hasRoom('BROKER')).toBe(true);
      quotas.add('10.0.0.1', 'BROKER');
    }
    expect(quotas.isExceeded).toBe(true);
    expect(quotas.hasRoom('BROKER')).toBe(false);
    quotas.reconfigure({ ...limits, maxConnections: 10, maxListenerConnections: new Map() });
    expect(quotas.hasRoom('BROKER') && quotas.hasRoom('CLIENT')).toBe(true);
    expect(quotas.isExceeded).toBe(false);
  });

  it('has connections wait that come faster than max.connection.creation.rate', () => {
    const quotas = new ConnectionQuotas({ ...defaultSocketServerConfig, maxConnectionCreationRate: 10 }, windows);
    for (let count = 0; count < 100; count += 1) expect(quotas.arrive('10.0.0.1', 'A', start).kind).toBe('admit');
    // (10.1 - 10) / 10 of 10 s
    expect(quotas.arrive('10.0.0.1', 'A', start)).toEqual({ kind: 'wait', delayMs: 100 });
    expect(quotas.arrive('10.0.0.1', 'A', start + 11_000).kind).toBe('admit');
  });

  it('holds the rate of a listener apart from the others’', () => {
    const limits = { ...defaultSocketServerConfig, maxListenerCreationRate: new Map([['A', 1]]) };
    const quotas = new ConnectionQuotas(limits, windows);
    for (let count = 0; count < 10; count += 1) quotas.arrive('10.0.0.1', 'A', start);
    expect(quotas.arrive('10.0.0.1', 'A', start).kind).toBe('wait');
    expect(quotas.arrive('10.0.0.1', 'B', start).kind).toBe('admit');
  });

  it('refuses an address above its rate after its throttle time, and does not count what it refuses', () => {
    const quotas = new ConnectionQuotas(defaultSocketServerConfig, windows);
    quotas.updateIpConnectionRate(null, 1);
    quotas.updateIpConnectionRate('10.0.0.9', 100);
    for (let count = 0; count < 10; count += 1) expect(quotas.arrive('10.0.0.1', 'A', start).kind).toBe('admit');
    for (let count = 0; count < 3; count += 1) {
      expect(quotas.arrive('10.0.0.1', 'A', start)).toMatchObject({ kind: 'refuse', delayMs: 1000 });
    }
    for (let count = 0; count < 100; count += 1) expect(quotas.arrive('10.0.0.9', 'A', start).kind).toBe('admit');
    quotas.updateIpConnectionRate(null, undefined);
    expect(quotas.arrive('10.0.0.1', 'A', start).kind).toBe('admit');
  });
});
