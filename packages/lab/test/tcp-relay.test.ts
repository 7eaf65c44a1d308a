import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, sleep } from '../src/eventually.ts';
import { freePort } from '../src/ports.ts';
import { FrameSplitter } from '../src/wire/frame-splitter.ts';
import { TcpRelay } from '../src/wire/tcp-relay.ts';
import type { TappedFrame } from '../src/wire/tcp-relay.ts';

const frame = (text: string): Buffer => {
  const size = Buffer.alloc(4);
  size.writeInt32BE(Buffer.byteLength(text));
  return Buffer.concat([size, Buffer.from(text)]);
};

describe('FrameSplitter', () => {
  it('finds the frames however the bytes come in, and gives up on nonsense', () => {
    const seen: string[] = [];
    const splitter = new FrameSplitter((each) => seen.push(each.toString()), 1_000);
    for (const byte of Buffer.concat([frame('one'), frame(''), frame('three')])) splitter.push(Buffer.from([byte]));
    expect(seen).toEqual(['one', '', 'three']);
    splitter.push(Buffer.from('GET / HTTP/1.1'));
    expect(splitter.isLost).toBe(true);
  });
});

describe('TcpRelay', () => {
  let echo: Server;
  let relay: TcpRelay;
  let frames: TappedFrame[];
  const clients: Socket[] = [];

  beforeEach(async () => {
    frames = [];
    echo = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.pipe(socket);
    });
    const targetPort = await freePort();
    await new Promise<void>((resolve) => echo.listen(targetPort, '127.0.0.1', resolve));
    relay = await TcpRelay.start({ targetPort, onFrame: (tapped) => frames.push(tapped) });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await relay.close();
    await new Promise((resolve) => echo.close(resolve));
  });

  const open = async (): Promise<{ client: Socket; received: () => string; isClosed: () => boolean }> => {
    const client = connect(relay.port, '127.0.0.1');
    clients.push(client);
    let text = '';
    let closed = false;
    client.on('data', (chunk) => (text += chunk.toString()));
    client.on('error', () => undefined);
    client.on('close', () => (closed = true));
    await once(client, 'connect');
    return { client, received: () => text, isClosed: () => closed };
  };

  it('passes bytes on both ways and reads along', async () => {
    const { client, received } = await open();
    client.write(frame('hello'));
    await eventually(() => received().endsWith('hello'));
    expect(frames.map((each) => [each.connection, each.direction, each.frame.toString()])).toEqual([
      [1, 'to-server', 'hello'],
      [1, 'to-client', 'hello'],
    ]);
  });

  it('holds everything back while paused, loses nothing, and keeps connections open', async () => {
    const { client, received, isClosed } = await open();
    relay.pause();
    client.write('held');
    await sleep(150);
    expect(received()).toBe('');
    expect(isClosed()).toBe(false);
    relay.heal();
    await eventually(() => received() === 'held');
  });

  it('cuts connections and takes none until it is healed', async () => {
    const first = await open();
    relay.cut();
    await eventually(first.isClosed);
    const second = await open();
    await eventually(second.isClosed);
    relay.heal();
    const third = await open();
    third.client.write('again');
    await eventually(() => third.received() === 'again');
  });

  it('delays each piece, in order', async () => {
    const { client, received } = await open();
    relay.delay(100);
    const begin = performance.now();
    client.write('a');
    await sleep(20);
    client.write('b');
    await eventually(() => received() === 'ab');
    expect(performance.now() - begin).toBeGreaterThan(195);
  });

  it('passes an end on', async () => {
    const { client, received, isClosed } = await open();
    client.end('bye');
    await eventually(isClosed);
    expect(received()).toBe('bye');
    await eventually(() => relay.connections === 0);
  });
});
