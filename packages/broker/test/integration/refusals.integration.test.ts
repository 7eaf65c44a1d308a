import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { encodeRequestFrame } from '@klassic/protocol';
import { freePort, prepareBroker, startBroker, startZooKeeper } from '@klassic/test-support';
import type { TestBroker, TestZooKeeper } from '@klassic/test-support';
import { connectTo, quick, ZNodes } from './cluster.ts';
import { runToItsEnd } from './foreground.ts';
import type { Ending } from './foreground.ts';

jest.setTimeout(60_000);

const maxRequestBytes = 100_000;

let zooKeeper: TestZooKeeper;
let znodes: ZNodes;
let broker: TestBroker;

beforeAll(async () => {
  zooKeeper = await startZooKeeper();
  znodes = await ZNodes.open(zooKeeper.connectString);
  broker = await startBroker({
    zooKeeperConnect: zooKeeper.connectString,
    overrides: { ...quick, 'socket.request.max.bytes': String(maxRequestBytes) },
  });
});

afterAll(async () => {
  await broker?.kill();
  await znodes?.close();
  await zooKeeper?.stop();
});

/** Runs a second broker with these settings, and expects that it ends with 1 and one line that says why. */
async function refuse(id: number, settings: Readonly<Record<string, string>> = {}, folder?: string): Promise<string> {
  const prepared = await prepareBroker({
    zooKeeperConnect: zooKeeper.connectString,
    id,
    overrides: { ...quick, ...settings },
    ...(folder === undefined ? {} : { folder }),
  });
  return complaintOf(await runToItsEnd(prepared.folder));
}

function complaintOf(ending: Ending): string {
  expect(ending).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ending.complaints).toHaveLength(1);
  return ending.complaints[0]!;
}

describe('A broker does not start, and says why in one line and ends with 1,', () => {
  it('when its id is in use', async () => {
    const registered = (await znodes.read('/brokers/ids/1'))!;
    expect(await refuse(1)).toMatch(
      /creating ephemeral at \/brokers\/ids\/1, node already exists and owner '\w+' does not match/,
    );
    // The one that has it is not touched.
    expect(await znodes.read('/brokers/ids/1')).toEqual(registered);
  });

  it('when it is started again before the session of its earlier life has ended', async () => {
    // Long enough for a slow machine to start the second one in.
    const overrides = { ...quick, 'zookeeper.session.timeout.ms': '10000' };
    const hasty = await startBroker({ zooKeeperConnect: zooKeeper.connectString, id: 7, overrides });
    await hasty.kill();
    expect(complaintOf(await runToItsEnd(hasty.folder))).toContain('/brokers/ids/7');
    await hasty.startAgain();
    // Killed, it would stay registered for the tests that follow.
    await hasty.stop();
  });

  it('when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const said = await refuse(2, { listeners: `PLAINTEXT://127.0.0.1:${port}` });
    other.close();
    expect(said).toContain(`127.0.0.1:${port}: Address already in use`);
    expect(await znodes.brokerIds()).not.toContain(2);
  });

  it.each<[string, string, string]>([
    ['num.partitions', 'many', 'num.partitions'],
    ['inter.broker.codec', 'json', 'inter.broker.codec'],
    ['listeners', 'PLAINTEXT//127.0.0.1', 'listeners'],
    ['zookeeper.connect', '', 'zookeeper.connect'],
  ])('when server.properties has %s=%s', async (key, value, named) => {
    expect(await refuse(2, { [key]: value })).toContain(named);
  });

  it('when there is no such server.properties', async () => {
    const prepared = await prepareBroker({ zooKeeperConnect: zooKeeper.connectString, id: 2, overrides: quick });
    const folder = join(prepared.folder, 'elsewhere');
    mkdirSync(folder);
    expect(complaintOf(await runToItsEnd(folder))).toContain(join(folder, 'server.properties'));
  });

  it('when its data belong to another cluster', async () => {
    const prepared = await prepareBroker({ zooKeeperConnect: zooKeeper.connectString, id: 2, overrides: quick });
    const file = join(prepared.dataFolder, 'meta.properties');
    mkdirSync(prepared.dataFolder, { recursive: true });
    const text = '#\nbroker.id=2\nversion=0\ncluster.id=AnotherClusterAltogeth\n';
    writeFileSync(file, text);
    const said = complaintOf(await runToItsEnd(prepared.folder));
    expect(said).toMatch(/Cluster ID .* doesn't match stored clusterId .*AnotherClusterAltogeth/);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(await znodes.brokerIds()).not.toContain(2);
  });

  it('when its data belong to another broker', async () => {
    const prepared = await prepareBroker({ zooKeeperConnect: zooKeeper.connectString, id: 2, overrides: quick });
    mkdirSync(prepared.dataFolder, { recursive: true });
    writeFileSync(join(prepared.dataFolder, 'meta.properties'), 'broker.id=3\nversion=0\n');
    expect(complaintOf(await runToItsEnd(prepared.folder))).toMatch(/broker\.id 2 doesn't match stored broker\.id 3/);
  });

  it('when nobody answers at zookeeper.connect, after zookeeper.connection.timeout.ms', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const began = performance.now();
    const said = await refuse(2, { 'zookeeper.connect': nobody, 'zookeeper.connection.timeout.ms': '1500' });
    const tookMs = performance.now() - began;
    expect(said).toContain(nobody);
    expect(said).toContain('1500 ms');
    expect(tookMs).toBeGreaterThan(1_500);
    expect(tookMs).toBeLessThan(10_000);
  });

  it('when ZooKeeper takes the connection but stays silent', async () => {
    const held: Socket[] = [];
    const silent = createServer((socket) => held.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const settings = { 'zookeeper.connect': `127.0.0.1:${port}`, 'zookeeper.connection.timeout.ms': '1500' };
    expect(await refuse(2, settings)).toContain('1500 ms');
    silent.close();
    for (const socket of held) socket.destroy();
  });
});

describe('A frame that is no request closes its connection, and no other:', () => {
  const size = (bytes: number): Buffer => {
    const buffer = Buffer.alloc(4);
    buffer.writeInt32BE(bytes);
    return buffer;
  };
  const framed = (body: Buffer): Buffer => Buffer.concat([size(body.length), body]);
  const header = (apiKey: number, version: number, ...rest: number[]): Buffer => {
    const buffer = Buffer.alloc(10);
    buffer.writeInt16BE(apiKey, 0);
    buffer.writeInt16BE(version, 2);
    buffer.writeInt32BE(7, 4);
    buffer.writeInt16BE(-1, 8);
    return Buffer.concat([buffer, Buffer.from(rest)]);
  };

  it.each<[string, Buffer]>([
    ['a size below zero', size(-1)],
    ['a size of zero', size(0)],
    ['more bytes than socket.request.max.bytes', size(maxRequestBytes + 1)],
    ['the largest size there is', size(0x7fffffff)],
    ['text of another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['a header that ends too early', framed(Buffer.from([0, 3, 0]))],
    ['an API that nobody knows', framed(header(1000, 0))],
    ['a version that is not served', framed(header(3, 99))],
    ['a body that ends too early', framed(header(3, 1, 0, 0, 0, 5))],
    ['an array longer than its frame', framed(header(3, 1, 0x7f, 0xff, 0xff, 0xff))],
    ['MessagePack that is no request', framed(Buffer.from([0x93, 0x01, 0x02, 0x03]))],
    ['MessagePack that breaks off', framed(Buffer.from([0x95, 0x03, 0x01, 0x07]))],
    ['no codec at all', framed(Buffer.from('nonsense'))],
  ])('%s', async (_what, bytes) => {
    const bystander = await connectTo(broker);
    const socket = connect(broker.port, broker.host);
    await once(socket, 'connect');
    let answered = 0;
    socket.on('data', (chunk) => (answered += chunk.length));
    // However it is closed: with unread bytes left, the system resets it.
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    socket.write(bytes);
    await closed;
    expect(answered).toBe(0);
    expect((await bystander.send('Metadata', 9, { topics: null })).brokers).toHaveLength(1);
    bystander.close();
  });

  it('and a frame of which the rest never comes costs nobody else anything', async () => {
    const socket = connect(broker.port, broker.host);
    await once(socket, 'connect');
    const whole = Buffer.concat(encodeRequestFrame('kafka', 'Metadata', 9, 1, 'slow', { topics: null }));
    socket.write(whole.subarray(0, whole.length - 1));
    const bystander = await connectTo(broker);
    expect((await bystander.send('Metadata', 9, { topics: null })).brokers).toHaveLength(1);
    bystander.close();
    // It still waits, and is answered when it is complete.
    socket.write(whole.subarray(whole.length - 1));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.readInt32BE(4)).toBe(1);
    socket.destroy();
  });

  it('with one line in server.log for each', () => {
    const log = readFileSync(join(broker.logFolder, 'server.log'), 'utf8');
    expect(log).toContain(`Invalid receive (size = ${maxRequestBytes + 1} larger than ${maxRequestBytes})`);
    expect(log).not.toMatch(/^\s+at .*\(.*:\d+:\d+\)$/m);
  });
});
