import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually, freePort, startZooKeeper } from '@klassic/test-support';
import type { TestZooKeeper } from '@klassic/test-support';
import { ZooKeeperClientTimeoutError, ZooKeeperError, ZooKeeperSession } from '@klassic/zookeeper';

import { startRelay } from './relay.ts';
import type { Relay } from './relay.ts';
import { closeSessions, openSession, recordingLoggers, sessionOptions } from './support.ts';

jest.setTimeout(60_000);

const bytes = (text: string): Buffer => Buffer.from(text);

describe('A ZooKeeper session', () => {
  let zooKeeper: TestZooKeeper;
  let relay: Relay;
  let root: string;
  let rounds = 0;

  beforeAll(async () => {
    zooKeeper = await startZooKeeper();
  });
  afterAll(() => zooKeeper.stop());

  beforeEach(async () => {
    relay = await startRelay(zooKeeper.port);
    root = `/round-${(rounds += 1)}`;
    const session = await openSession(zooKeeper.connectString);
    await session.create(root, null);
  });
  afterEach(async () => {
    await closeSessions();
    await relay.stop();
  });

  it('creates, reads, writes conditionally and deletes', async () => {
    const session = await openSession(zooKeeper.connectString);
    const path = `${root}/a`;
    expect(await session.create(path, bytes('0'))).toBe(path);
    const first = await session.getData(path);
    expect(first.data).toEqual(bytes('0'));
    expect(first.stat).toMatchObject({ version: 0, ephemeralOwner: '0x0', dataLength: 1 });
    expect(await session.setData(path, bytes('1'), 0)).toMatchObject({ version: 1 });
    await expect(session.setData(path, bytes('2'), 0)).rejects.toMatchObject({ code: 'BAD_VERSION', path });
    await expect(session.create(path, null)).rejects.toBeInstanceOf(ZooKeeperError);
    expect(await session.getChildren(root)).toEqual(['a']);
    await expect(session.delete(path, 0)).rejects.toMatchObject({ code: 'BAD_VERSION' });
    await session.delete(path, 1);
    expect(await session.exists(path)).toBeUndefined();
    await expect(session.getData(path)).rejects.toMatchObject({ code: 'NO_NODE' });
    const numbered = await session.create(`${root}/n_`, null, { sequential: true });
    expect(numbered).toMatch(/n_0000000\d{3}$/);
    expect((await session.getData(numbered)).data).toBeNull();
  });

  it('ends at the answer to its close, without waiting for the server to hang up', async () => {
    relay.hideHangUps();
    const session = await openSession(relay.connectString);
    await session.create(`${root}/mine`, null, { ephemeral: true });
    const begun = performance.now();
    await session.close();
    expect(performance.now() - begun).toBeLessThan(2000);
    const other = await openSession(zooKeeper.connectString);
    expect(await other.exists(`${root}/mine`)).toBeUndefined();
  });

  it('keeps the version 0 of a multi a condition, and tells which step was refused', async () => {
    const session = await openSession(zooKeeper.connectString);
    const path = `${root}/epoch`;
    await session.create(path, bytes('0'));
    const done = await session.multi([
      { op: 'check', path, version: 0 },
      { op: 'setData', path, data: bytes('1'), version: 0 },
      { op: 'create', path: `${root}/e`, data: null, ephemeral: true },
    ]);
    expect(done.map(({ code }) => code)).toEqual(['OK', 'OK', 'OK']);
    expect(done[1]!.stat).toMatchObject({ version: 1 });
    expect((await session.exists(`${root}/e`))!.ephemeralOwner).toBe(session.sessionId);

    for (const op of [
      { op: 'check', path, version: 0 },
      { op: 'setData', path, data: bytes('2'), version: 0 },
      { op: 'delete', path, version: 0 },
    ] as const) {
      const refused = await session.handleRequest({
        op: 'multi',
        ops: [{ op: 'setData', path: root, data: bytes('x'), version: -1 }, op],
      });
      expect(refused.code).toBe('BAD_VERSION');
      expect(refused.results!.map(({ code }) => code)).toEqual(['OK', 'BAD_VERSION']);
    }
    expect((await session.getData(path)).data).toEqual(bytes('1'));
  });

  it('watches only where a handler is registered, once, and tells each change once', async () => {
    const session = await openSession(zooKeeper.connectString);
    const other = await openSession(zooKeeper.connectString);
    const path = `${root}/w`;
    const seen: string[] = [];
    await session.exists(path);
    await session.getChildren(root);
    session.registerZNodeChangeHandler({
      path,
      handleCreation: () => seen.push('created'),
      handleDataChange: () => seen.push('changed'),
      handleDeletion: () => seen.push('deleted'),
    });
    session.registerZNodeChildChangeHandler({ path: root, handleChildChange: () => seen.push('children') });
    await other.create(path, null);
    await other.setData(path, bytes('1'), -1);
    await session.exists(root);
    expect(seen).toEqual([]);

    // Registered by two kinds of read, before and after creation: still one event each.
    await other.delete(path, -1);
    await session.exists(path);
    await session.exists(path);
    await session.getChildren(root);
    await session.getChildren(root);
    await other.create(path, null);
    await eventually(() => seen.length >= 2);
    expect(seen.splice(0).sort()).toEqual(['children', 'created']);

    await session.getData(path);
    await session.exists(path);
    await other.setData(path, bytes('2'), -1);
    await other.setData(path, bytes('3'), -1);
    await eventually(() => seen.length >= 1);
    await session.exists(path);
    expect(seen.splice(0)).toEqual(['changed']);
    await other.delete(path, -1);
    await eventually(() => seen.length >= 1);
    expect(seen).toEqual(['deleted']);
  });

  it('tells watch events in their place between the replies', async () => {
    const session = await openSession(zooKeeper.connectString);
    const path = `${root}/o`;
    await session.create(path, bytes('0'));
    const story: string[] = [];
    session.registerZNodeChangeHandler({ path, handleDataChange: () => story.push('event') });
    await session.getData(path);
    const read = async (): Promise<void> => {
      const { data } = await session.getData(path);
      await Promise.resolve();
      story.push(`read ${data!.toString()}`);
    };
    const write = session.setData(path, bytes('1'), 0).then(async () => {
      await Promise.resolve();
      story.push('written');
    });
    const before = read();
    await Promise.all([before, write]);
    expect(story.indexOf('event')).toBeGreaterThanOrEqual(0);
    expect(story.indexOf('event')).toBeLessThan(story.indexOf('read 1'));
  });

  it('works under a chroot, watches and reconnects included', async () => {
    const plain = await openSession(zooKeeper.connectString);
    await plain.create(`${root}/chroot`, null);
    const session = await openSession(`${relay.connectString}${root}/chroot`);
    const seen: string[] = [];
    session.registerZNodeChangeHandler({
      path: '/a',
      handleCreation: () => seen.push('created'),
      handleDataChange: () => seen.push('changed'),
    });
    session.registerZNodeChildChangeHandler({ path: '/', handleChildChange: () => seen.push('children') });
    await session.exists('/a');
    await session.getChildren('/');
    expect(await session.create('/a', null)).toBe('/a');
    await eventually(() => seen.length === 2);
    expect(await session.getChildren('/')).toEqual(['a']);
    expect((await plain.exists(`${root}/chroot/a`))!.version).toBe(0);
    seen.length = 0;
    await session.getData('/a');
    relay.cut();
    await eventually(() => session.state === 'CONNECTING');
    await plain.setData(`${root}/chroot/a`, bytes('1'), -1);
    relay.restore();
    await eventually(() => seen.length === 1);
    expect(seen).toEqual(['changed']);
    const results = await session.multi([{ op: 'create', path: '/b', data: null }]);
    expect(results[0]!.path).toBe('/b');
  });

  it('keeps the session over a lost connection, and hears what it missed, once', async () => {
    const session = await openSession(relay.connectString);
    const other = await openSession(zooKeeper.connectString);
    const seen: string[] = [];
    const watch = (name: string): void => {
      session.registerZNodeChangeHandler({
        path: `${root}/${name}`,
        handleCreation: () => seen.push(`${name} created`),
        handleDataChange: () => seen.push(`${name} changed`),
        handleDeletion: () => seen.push(`${name} deleted`),
      });
    };
    for (const name of ['new', 'old', 'gone', 'same']) watch(name);
    session.registerZNodeChildChangeHandler({ path: root, handleChildChange: () => seen.push('children') });
    const states: string[] = [];
    session.registerStateChangeHandler({
      name: 'test',
      onConnected: () => states.push('connected'),
      onDisconnected: () => states.push('disconnected'),
    });
    for (const name of ['old', 'gone', 'same']) await other.create(`${root}/${name}`, null);
    for (const name of ['new', 'old', 'gone', 'same']) await session.exists(`${root}/${name}`);
    await session.getChildren(root);
    const { sessionId } = session;
    await session.create(`${root}/mine`, null, { ephemeral: true });
    await eventually(() => seen.includes('children'));
    await session.getChildren(root);
    seen.length = 0;

    relay.cut();
    await eventually(() => session.state === 'CONNECTING');
    await other.create(`${root}/new`, null);
    await other.setData(`${root}/old`, bytes('1'), -1);
    await other.delete(`${root}/gone`, -1);
    const waiting = session.getData(`${root}/old`);
    relay.restore();
    expect((await waiting).data).toEqual(bytes('1'));
    expect(session.sessionId).toBe(sessionId);
    expect(seen.sort()).toEqual(['children', 'gone deleted', 'new created', 'old changed']);
    expect(states).toEqual(['disconnected', 'connected']);
    expect(await other.exists(`${root}/mine`)).toBeDefined();
    // The watch that did not fire is still there; those that did are spent.
    seen.length = 0;
    await other.setData(`${root}/same`, bytes('1'), -1);
    await eventually(() => seen.length > 0);
    expect(seen).toEqual(['same changed']);
  });

  it('answers what was under way with CONNECTION_LOSS, in full', async () => {
    const session = await openSession(relay.connectString);
    relay.silence();
    const lost = session.handleRequests([...Array(25).keys()].map((n) => ({ op: 'exists', path: `${root}/${n}` })));
    relay.cut();
    relay.restore();
    const codes = (await lost).map(({ code }) => code);
    // Ten were in flight; the others had not been sent yet and were asked on the new connection.
    expect(codes.filter((code) => code === 'CONNECTION_LOSS')).toHaveLength(10);
    expect(codes.filter((code) => code === 'NO_NODE')).toHaveLength(15);
  });

  it('notices a silent server, and a silent handshake, and reconnects within the session timeout', async () => {
    const lines: string[] = [];
    const session = await openSession(relay.connectString, {
      sessionTimeoutMs: 6000,
      loggers: recordingLoggers(lines),
      // Reconnecting may wait up to a second by chance, twice here: more than is left of the session in the end.
      random: { next: () => 0 },
    });
    const { sessionId } = session;
    const before = relay.connections;
    relay.silence();
    await eventually(() => session.state === 'CONNECTING', { timeoutMs: 6000 });
    expect(lines.join('\n')).toContain('have not heard from server in');
    await eventually(() => relay.connections > before);
    relay.restore();
    await session.waitUntilConnected();
    expect(session.sessionId).toBe(sessionId);
  });

  it('goes on after ZooKeeper was paused for less than the session timeout', async () => {
    const session = await openSession(zooKeeper.connectString, { sessionTimeoutMs: 4000 });
    const { sessionId } = session;
    await session.create(`${root}/mine`, null, { ephemeral: true });
    zooKeeper.pause();
    const read = session.getData(`${root}/mine`);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    zooKeeper.resume();
    expect((await read).stat.ephemeralOwner).toBe(sessionId);
    expect(session.sessionId).toBe(sessionId);
  });

  it('begins a new session when the server says that the old one has expired, and only then', async () => {
    const session = await openSession(relay.connectString);
    const other = await openSession(zooKeeper.connectString);
    const { sessionId } = session;
    const path = `${root}/mine`;
    const story: string[] = [];
    await session.create(path, null, { ephemeral: true });
    session.registerStateChangeHandler({
      name: 'test',
      beforeInitializingSession: async () => {
        story.push(`before ${session.sessionId === sessionId} ${session.state}`);
        const { code } = await session.handleRequest({ op: 'exists', path });
        story.push(code);
      },
      afterInitializingSession: async () => {
        story.push('after');
        await session.create(path, null, { ephemeral: true });
        story.push('registered');
      },
    });
    relay.cut();
    await eventually(async () => (await other.exists(path)) === undefined, { timeoutMs: 10_000 });
    expect(session.state).toBe('CONNECTING');
    expect(story).toEqual([]);
    const waiting = session.handleRequest({ op: 'exists', path: root });
    relay.restore();
    expect((await waiting).code).toBe('SESSION_EXPIRED');
    await eventually(() => story.includes('registered'));
    expect(story).toEqual(['before true EXPIRED', 'SESSION_EXPIRED', 'after', 'registered']);
    expect(session.sessionId).not.toBe(sessionId);
    expect((await other.exists(path))!.ephemeralOwner).toBe(session.sessionId);
  });

  it('ends its ephemerals at once when it is closed', async () => {
    const session = await ZooKeeperSession.connect(
      sessionOptions(zooKeeper.connectString, { sessionTimeoutMs: 20_000 }),
    );
    const other = await openSession(zooKeeper.connectString);
    await session.create(`${root}/mine`, null, { ephemeral: true });
    await session.close();
    expect(await other.exists(`${root}/mine`)).toBeUndefined();
    await expect(session.exists(root)).rejects.toThrow('closed');
  });

  it('closes without connection, and does not connect again', async () => {
    const session = await openSession(relay.connectString);
    relay.cut();
    await eventually(() => session.state === 'CONNECTING');
    const waiting = session.exists(root);
    await session.close();
    await expect(waiting).rejects.toThrow('closed');
    const before = relay.connections;
    relay.restore();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(relay.connections).toBe(before);
  });

  it('says in one line that no ZooKeeper answers', async () => {
    const port = await freePort();
    const refused = ZooKeeperSession.connect(sessionOptions(`127.0.0.1:${port}`, { connectionTimeoutMs: 300 }));
    await expect(refused).rejects.toThrow(ZooKeeperClientTimeoutError);
    await expect(refused).rejects.toThrow(
      `Timed out waiting for connection to ZooKeeper at 127.0.0.1:${port}: none within 300 ms`,
    );

    let accepted = 0;
    const deaf = createServer((socket) => {
      accepted += 1;
      socket.resume();
    });
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
    const silent = `127.0.0.1:${(deaf.address() as AddressInfo).port}`;
    const options = sessionOptions(silent, { sessionTimeoutMs: 200, connectionTimeoutMs: 4000 });
    await expect(ZooKeeperSession.connect(options)).rejects.toThrow(ZooKeeperClientTimeoutError);
    // A handshake that nobody answers is given up, and tried again after a pause of a second or so.
    expect(accepted).toBeGreaterThan(1);
    await new Promise<void>((resolve) => {
      deaf.close(() => resolve());
    });
  });
});

describe('A ZooKeeper session with an ensemble', () => {
  let ensemble: TestZooKeeper;

  beforeAll(async () => {
    ensemble = await startZooKeeper({ servers: 3 });
  });
  afterAll(() => ensemble.stop());
  afterEach(closeSessions);

  it('moves to another server when its own dies, with its watches', async () => {
    const session = await openSession(ensemble.connectString, { sessionTimeoutMs: 10_000 });
    const { sessionId } = session;
    await session.create('/watched', null);
    await session.create('/mine', null, { ephemeral: true });
    let changed = 0;
    session.registerZNodeChangeHandler({ path: '/watched', handleDataChange: () => (changed += 1) });
    for (const server of ensemble.servers) {
      await session.getData('/watched');
      const before = changed;
      await server.kill();
      await session.waitUntilConnected();
      const write = await eventually(async () => {
        const { code } = await session.handleRequest({ op: 'setData', path: '/watched', data: null, version: -1 });
        return code === 'OK';
      });
      expect(write).toBe(true);
      await eventually(() => changed === before + 1);
      await server.start();
    }
    expect(session.sessionId).toBe(sessionId);
    expect((await session.exists('/mine'))!.ephemeralOwner).toBe(sessionId);
  });
});
