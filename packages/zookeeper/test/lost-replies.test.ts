import { describe, expect, it } from '@jest/globals';
import { MockTime, silentLoggers } from '@klassic/common';
import { ControllerMovedError, KafkaZkClient, ZooKeeperError } from '@klassic/zookeeper';
import type { BrokerInfo, Stat, ZooKeeperRequest, ZooKeeperResponse, ZooKeeperSession } from '@klassic/zookeeper';

type Answer = Omit<ZooKeeperResponse, 'path'>;

const lost: Answer = { code: 'CONNECTION_LOSS' };

function stat(fields: Partial<Stat>): Stat {
  const zero = { czxid: 0, mzxid: 0, pzxid: 0, ctime: 0, mtime: 0, version: 0, cversion: 0, aversion: 0 };
  return { ...zero, ephemeralOwner: '0x0', dataLength: 0, numChildren: 0, ...fields };
}

function found(data: string, fields: Partial<Stat>): Answer {
  return { code: 'OK', data: Buffer.from(data), stat: stat(fields) };
}

/** A client whose ZooKeeper answers as the test says, request by request. */
function client(answers: readonly Answer[], secure = false) {
  const left = [...answers];
  const asked: ZooKeeperRequest[] = [];
  const calls: number[] = [];
  const world = { sessionId: '0x1', reconnects: 0, expired: false };
  const session = {
    get sessionId() {
      return world.sessionId;
    },
    handleRequests: (requests: readonly ZooKeeperRequest[]) => {
      calls.push(requests.length);
      return Promise.resolve(
        requests.map((request) => {
          asked.push(request);
          const answer = left.shift();
          if (answer === undefined) throw new Error(`no answer to ${request.op}`);
          return { path: 'path' in request ? request.path : '', ...answer };
        }),
      );
    },
    waitUntilConnected: () => {
      world.reconnects += 1;
      return world.expired ? Promise.reject(new ZooKeeperError('SESSION_EXPIRED')) : Promise.resolve();
    },
  };
  const zk = new KafkaZkClient(session as unknown as ZooKeeperSession, new MockTime(), silentLoggers, { secure });
  return { zk, asked, calls, world, left };
}

const broker: BrokerInfo = {
  id: 1,
  endPoints: [{ host: 'h', port: 1, listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT' }],
  rack: null,
  version: 4,
  jmxPort: -1,
};
const written = Buffer.from('mine');

describe('A request whose connection is lost', () => {
  it('is made again, and of many that were sent together only those without an answer', async () => {
    const { zk, calls, asked, world } = client([
      found('{"leader":1}', {}),
      lost,
      lost,
      { code: 'NO_NODE' },
      lost,
      { code: 'NO_NODE' },
    ]);
    const partitions = [0, 1, 2].map((partition) => ({ topic: 't', partition }));
    const responses = await zk.getTopicPartitionStatesRaw(partitions);
    expect(responses.map(({ response }) => response.code)).toEqual(['OK', 'NO_NODE', 'NO_NODE']);
    expect(calls).toEqual([3, 2, 1]);
    expect(asked.map((request) => 'path' in request && request.path.split('/')[5])).toEqual([
      '0',
      '1',
      '2',
      '1',
      '2',
      '2',
    ]);
    expect(world.reconnects).toBe(2);
  });

  it('fails when the session ends before there is a connection', async () => {
    const { zk, world } = client([lost]);
    world.expired = true;
    await expect(zk.getChildren('/brokers/ids')).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
  });
});

describe('A conditional write', () => {
  const update = (...answers: Answer[]) => client(answers).zk.conditionalUpdatePath('/w', written, 4);

  it.each<[string, Answer, boolean]>([
    ['its data, in the next version', found('mine', { version: 5 }), true],
    ['other data', found('theirs', { version: 5 }), false],
    ['its data, but others were there in between', found('mine', { version: 6 }), false],
    ['nothing any more', { code: 'NO_NODE' }, false],
  ])(
    'whose reply was lost is judged by what stands there when it is refused the next time: %s',
    async (_, there, succeeded) => {
      expect((await update(lost, { code: 'BAD_VERSION' }, there)).succeeded).toBe(succeeded);
    },
  );

  it('that was refused at its first try is not looked at twice', async () => {
    expect(await update({ code: 'BAD_VERSION' })).toEqual({ succeeded: false, version: -2 });
  });

  it('asks who knows whether what stands there is as good', async () => {
    const { zk } = client([{ code: 'BAD_VERSION' }]);
    const checker = (path: string, data: Buffer) =>
      Promise.resolve({ succeeded: path === '/w' && data.equals(written), version: 9 });
    expect(await zk.conditionalUpdatePath('/w', written, 4, checker)).toEqual({ succeeded: true, version: 9 });
  });
});

describe('A creation', () => {
  const create = (...answers: Answer[]) => client(answers).zk.createRecursive('/w', written);

  it('whose reply was lost is recognised by its data', async () => {
    await create(lost, { code: 'NODE_EXISTS' }, found('mine', {}));
    await expect(create(lost, { code: 'NODE_EXISTS' }, found('theirs', {}))).rejects.toMatchObject({
      code: 'NODE_EXISTS',
    });
    await expect(create({ code: 'NODE_EXISTS' })).rejects.toMatchObject({ code: 'NODE_EXISTS' });
    // An ephemeral znode is somebody's own.
    await expect(create(lost, { code: 'NODE_EXISTS' }, found('mine', { ephemeralOwner: '0x1' }))).rejects.toMatchObject(
      {
        code: 'NODE_EXISTS',
      },
    );
  });
});

describe('The registration of a broker', () => {
  const exists: Answer = { code: 'NODE_EXISTS', results: [{ code: 'NODE_EXISTS' }, { code: 'RUNTIME_INCONSISTENCY' }] };
  const made = (czxid: number): Answer => ({
    code: 'OK',
    results: [{ code: 'OK' }, { code: 'OK', stat: stat({ czxid }) }],
  });

  it('that is found in the tree is its own if its own session has made it: the reply was lost', async () => {
    const { zk, asked } = client([lost, exists, found('{}', { ephemeralOwner: '0x1', czxid: 77 })]);
    expect(await zk.registerBroker(broker)).toBe(77);
    expect(asked.map(({ op }) => op)).toEqual(['multi', 'multi', 'getData']);
  });

  it('is made anew where an earlier session of its own is still there', async () => {
    const { zk, asked, world } = client([
      made(5),
      exists,
      found('{}', { ephemeralOwner: '0x1', czxid: 5 }),
      { code: 'OK' },
      made(9),
    ]);
    await zk.registerBroker(broker);
    world.sessionId = '0x2';
    expect(await zk.registerBroker(broker)).toBe(9);
    expect(asked.map(({ op }) => op)).toEqual(['multi', 'multi', 'getData', 'delete', 'multi']);
  });

  it('is refused where somebody else has that id', async () => {
    const { zk, asked } = client([exists, found('{}', { ephemeralOwner: '0x9' })]);
    await expect(zk.registerBroker(broker)).rejects.toMatchObject({ code: 'NODE_EXISTS' });
    expect(asked.some(({ op }) => op === 'delete')).toBe(false);
  });

  it('is tried again where what stood there has just gone', async () => {
    const { zk } = client([exists, { code: 'NO_NODE' }, made(9)]);
    expect(await zk.registerBroker(broker)).toBe(9);
  });
});

describe('A write as controller', () => {
  const refused: Answer = {
    code: 'BAD_VERSION',
    results: [{ code: 'BAD_VERSION' }, { code: 'RUNTIME_INCONSISTENCY' }],
  };
  const done: Answer = { code: 'OK', results: [{ code: 'OK' }, { code: 'OK' }] };
  const failed = (code: 'NO_NODE' | 'BAD_VERSION'): Answer => ({ code, results: [{ code: 'OK' }, { code }] });

  it('stands in one transaction with the check of the controller epoch', async () => {
    const { zk, asked } = client([done]);
    await zk.deleteController(3);
    expect(asked).toEqual([
      {
        op: 'multi',
        ops: [
          { op: 'check', path: '/controller_epoch', version: 3 },
          { op: 'delete', path: '/controller', version: -1 },
        ],
      },
    ]);
  });

  it('throws when the epoch has moved on, also after a lost connection', async () => {
    await expect(client([refused]).zk.deleteController(3)).rejects.toThrow(ControllerMovedError);
    await expect(client([lost, refused]).zk.deleteController(3)).rejects.toThrow(ControllerMovedError);
  });

  it('tells a version of its own that was refused from the epoch’s', async () => {
    const leaderAndIsr = { leader: 1, leaderEpoch: 1, isr: [1], zkVersion: 4 };
    const { zk } = client([failed('BAD_VERSION'), failed('NO_NODE')]);
    const update = new Map([
      ['t-0', leaderAndIsr],
      ['t-1', leaderAndIsr],
    ]);
    const { finished, partitionsToRetry } = await zk.updateLeaderAndIsr(update, 2, 3);
    expect(partitionsToRetry).toEqual(['t-0']);
    expect(finished.get('t-1')).toMatchObject({ code: 'NO_NODE' });
  });

  it('of a partition’s state whose reply was lost recognises its success', async () => {
    const leaderAndIsr = { leader: 1, leaderEpoch: 1, isr: [1], zkVersion: 4 };
    const data = '{"controller_epoch":2,"leader":1,"version":1,"leader_epoch":1,"isr":[1]}';
    const { zk } = client([lost, failed('BAD_VERSION'), found(data, { version: 5 })]);
    const { finished } = await zk.updateLeaderAndIsr(new Map([['t-0', leaderAndIsr]]), 2, 3);
    expect(finished.get('t-0')).toEqual({ ...leaderAndIsr, zkVersion: 5 });
  });

  it('that deletes what has gone has done so', async () => {
    await client([lost, failed('NO_NODE')]).zk.deleteTopicDeletions(['t'], 3);
    await client([failed('NO_NODE')]).zk.deleteTopicDeletions(['t'], 3);
  });
});

describe('The election of the controller', () => {
  const epoch = (value: number, version: number): Answer => found(String(value), { version });
  const exists: Answer = { code: 'NODE_EXISTS', results: [{ code: 'NODE_EXISTS' }, { code: 'RUNTIME_INCONSISTENCY' }] };
  const controller = (id: number): Answer => found(`{"version":1,"brokerid":${id},"timestamp":"0"}`, {});
  const stand = (...answers: Answer[]) => client(answers).zk.registerControllerAndIncrementControllerEpoch(1);

  it('is won where its own id stands there with the epoch that it asked for', async () => {
    expect(await stand(epoch(6, 6), lost, exists, controller(1), epoch(7, 7))).toEqual({ epoch: 7, epochZkVersion: 7 });
  });

  it.each<[string, Answer[]]>([
    ['another id stands there', [controller(2)]],
    ['its own id stands there, with a later epoch: that was another election', [controller(1), epoch(8, 8)]],
    ['nobody stands there any more', [{ code: 'NO_NODE' }]],
  ])('is lost where %s', async (_, there) => {
    await expect(stand(epoch(6, 6), exists, ...there)).rejects.toThrow(ControllerMovedError);
  });
});

describe('zookeeper.set.acl', () => {
  it('gives new znodes to their creator, readable by all but the sensitive ones', async () => {
    const aclOf = async (path: string, secure: boolean): Promise<unknown> => {
      const { zk, asked } = client([{ code: 'OK' }], secure);
      await zk.createRecursive(path);
      return asked
        .flatMap((request) => (request.op === 'create' ? (request.acl ?? []) : []))
        .map(({ scheme, perms }) => [scheme, perms]);
    };
    const all = 31;
    const read = 1;
    expect(await aclOf('/brokers/topics/t', false)).toEqual([['world', all]]);
    expect(await aclOf('/brokers/topics/t', true)).toEqual([
      ['auth', all],
      ['world', read],
    ]);
    expect(await aclOf('/config/users/alice', true)).toEqual([['auth', all]]);
    expect(await aclOf('/consumers', true)).toEqual([['world', all]]);
  });
});
