import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Admin } from '@klassic/client';
import type { GroupMemberDescription } from '@klassic/client';
import { eventually, findJava, kafkaJars, startCluster } from '@klassic/test-support';
import type { TestCluster } from '@klassic/test-support';
import { createTopic, quick } from './cluster.ts';
import { JavaReader, owned, ownedTwice, OwnReader } from './group-readers.ts';
import type { GroupReader } from './group-readers.ts';
import { Traffic } from './traffic.ts';

jest.setTimeout(300_000);

/** Without Java there is nothing to compare with. */
const java = await findJava();
const describeWithJava = java === undefined ? describe.skip : describe;
if (java === undefined) process.stderr.write('Groups with Java members: skipped, as there is no Java runtime\n');

const partitions = [0, 1, 2, 3, 4, 5];
const limit = { timeoutMs: 90_000 };

describeWithJava('A group with consumers of Apache Kafka 3.9.1', () => {
  let libs: string;
  let cluster: TestCluster;
  let servers: readonly string[];
  let admin: Admin;
  let started: GroupReader[] = [];
  let traffic: Traffic | undefined;

  beforeAll(async () => {
    libs = await kafkaJars('3.9.1', (line) => process.stderr.write(`${line}\n`));
    cluster = await startCluster({ brokers: 2, overrides: { ...quick, 'auto.leader.rebalance.enable': 'false' } });
    servers = cluster.bootstrapServers;
    admin = new Admin({ bootstrapServers: servers });
  });

  afterEach(async () => {
    traffic?.abandon();
    await Promise.all(started.map((reader) => reader.stop()));
    started = [];
  });

  afterAll(async () => {
    admin?.close();
    await cluster?.stop();
  });

  /** A topic, always written to, of the group's name. */
  async function begin(groupId: string): Promise<void> {
    await createTopic(
      servers,
      groupId,
      partitions.map((partition) => (partition % 2 === 0 ? [1, 2] : [2, 1])),
    );
    traffic = new Traffic(servers, groupId);
  }

  function joinByJava(groupId: string, name: string, groupInstanceId?: string): JavaReader {
    const member = groupInstanceId === undefined ? {} : { groupInstanceId };
    const reader = new JavaReader(java!, libs, { servers, topic: groupId, groupId, name, ...member });
    started.push(reader);
    return reader;
  }

  function joinByKlassic(groupId: string, name: string): OwnReader {
    const reader = new OwnReader({ servers, topic: groupId, groupId, name });
    started.push(reader);
    return reader;
  }

  function assignedTo(members: readonly GroupMemberDescription[], name: string): string | undefined {
    const member = members.find(({ clientId }) => clientId === name);
    return member?.assignment
      .map(({ partition }) => partition)
      .sort()
      .join();
  }

  /** Waits until just these members share all partitions evenly, by what they were told and by what the group tells. */
  async function untilShared(groupId: string, readers: readonly GroupReader[]): Promise<void> {
    const shared = async (): Promise<boolean> => {
      const { state, members } = await admin.describeGroup(groupId);
      const all = readers.flatMap((reader) => owned(reader)).sort();
      const each = readers.every(
        (reader) =>
          owned(reader).length === partitions.length / readers.length &&
          assignedTo(members, reader.name) === owned(reader).join(),
      );
      return state === 'Stable' && members.length === readers.length && each && all.join() === partitions.join();
    };
    const names = readers.map(({ name }) => name).join();
    await eventually(shared, { ...limit, what: `all partitions of ${groupId} shared by ${names}` });
  }

  /** What this member was made to give up since its event number `from`. */
  function revoked({ events }: GroupReader, from: number): number[] {
    return events
      .slice(from)
      .filter(({ kind }) => kind === 'revoked')
      .flatMap((event) => event.partitions);
  }

  /** Each of the members reads on from now, which it does with partitions only. */
  async function untilAllRead(readers: readonly GroupReader[]): Promise<void> {
    for (const reader of readers) {
      const before = reader.records.length;
      await eventually(() => reader.records.length > before, { ...limit, what: `records read by ${reader.name}` });
    }
  }

  /** Ends the traffic; every record of it is then read by one member or another. */
  async function expectAllRead(readers: readonly GroupReader[]): Promise<void> {
    const sent = (await traffic!.stop()).map(({ key, value }) => `${key}:${value}`);
    const missing = (): string[] => {
      const read = new Set(readers.flatMap(({ records }) => records));
      return sent.filter((record) => !read.has(record));
    };
    await eventually(() => missing().length === 0, { timeoutMs: 30_000, what: 'all records' }).catch(() => undefined);
    expect(missing()).toEqual([]);
    expect(sent.length).toBeGreaterThan(100);
  }

  /** Every generation of the group so far, in the coordinator's words. */
  function generations(groupId: string): number[] {
    const stabilized = new RegExp(`Stabilized group ${groupId} generation (\\d+) `, 'g');
    return cluster.brokers
      .map(({ logFolder }) => join(logFolder, 'server.log'))
      .filter((file) => existsSync(file))
      .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(stabilized)].map((match) => Number(match[1])));
  }

  it('moves only the partitions that have to move when a third member joins and leaves', async () => {
    const groupId = 'cooperative';
    await begin(groupId);
    const two = [joinByJava(groupId, 'first'), joinByJava(groupId, 'second')];
    await untilShared(groupId, two);
    await untilAllRead(two);
    const before = two.map(({ events }) => events.length);

    const third = joinByJava(groupId, 'third');
    await untilShared(groupId, [...two, third]);
    await untilAllRead([...two, third]);
    const moved = two.map((reader, index) => revoked(reader, before[index]!));
    expect(moved.map(({ length }) => length)).toEqual([1, 1]);
    expect(owned(third)).toEqual(moved.flat().sort());

    const withThree = two.map((reader) => ({ had: owned(reader), events: reader.events.length }));
    await third.stop();
    await untilShared(groupId, two);
    for (const [index, reader] of two.entries()) {
      const { had, events } = withThree[index]!;
      expect(revoked(reader, events)).toEqual([]);
      expect(owned(reader)).toEqual(expect.arrayContaining(had));
    }
    await expectAllRead([...two, third]);
    expect(ownedTwice([...two, third])).toEqual([]);
  });

  it('lets a killed static member come back without a rebalance, and fences it when there is a second one', async () => {
    const [groupId, instance] = ['static', 'instance-1'];
    await begin(groupId);
    const other = joinByJava(groupId, 'dynamic');
    const killed = joinByJava(groupId, 'static', instance);
    await untilShared(groupId, [other, killed]);
    await untilAllRead([other, killed]);
    const had = owned(killed);
    const [eventsBefore, generationsBefore] = [[...other.events], generations(groupId)];
    const memberId = async (): Promise<string | undefined> =>
      (await admin.describeGroup(groupId)).members.find(({ groupInstanceId }) => groupInstanceId === instance)
        ?.memberId;
    const firstId = await memberId();
    expect(generationsBefore.length).toBeGreaterThan(0);
    expect(firstId).toMatch(/^instance-1-/);

    await killed.kill();
    const again = joinByJava(groupId, 'static', instance);
    await untilShared(groupId, [other, again]);
    await untilAllRead([other, again]);
    expect(owned(again)).toEqual(had);
    const secondId = await memberId();
    expect(secondId).not.toBe(firstId);
    expect(other.events).toEqual(eventsBefore);
    expect(generations(groupId)).toEqual(generationsBefore);

    const usurper = joinByJava(groupId, 'static', instance);
    await eventually(() => again.hasEnded, { ...limit, what: 'the end of the fenced member' });
    expect(again.stderr).toContain('FencedInstanceIdException');
    await untilShared(groupId, [other, usurper]);
    await untilAllRead([other, usurper]);
    expect(owned(usurper)).toEqual(had);
    expect(await memberId()).not.toBe(secondId);
    expect(other.events).toEqual(eventsBefore);
    expect(generations(groupId)).toEqual(generationsBefore);
    await expectAllRead([other, killed, again, usurper]);
  });

  it('is shared by Klassic’s consumer and Java’s, whichever of them leads', async () => {
    const groupId = 'mixed-cooperative';
    await begin(groupId);
    const own = joinByKlassic(groupId, 'own');
    await untilShared(groupId, [own]);
    const inJava = joinByJava(groupId, 'in-java');
    await untilShared(groupId, [own, inJava]);
    await untilAllRead([own, inJava]);
    expect(revoked(own, 0)).toHaveLength(3);

    const before = inJava.events.length;
    await own.stop();
    await untilShared(groupId, [inJava]);
    expect(revoked(inJava, before)).toEqual([]);
    // Now Java's consumer is the leader, whose assignor reads what Klassic's has written of itself.
    const later = joinByKlassic(groupId, 'own-later');
    await untilShared(groupId, [inJava, later]);
    await untilAllRead([inJava, later]);
    expect(revoked(inJava, before)).toHaveLength(3);
    await expectAllRead([own, inJava, later]);
    expect(ownedTwice([own, inJava, later])).toEqual([]);
  });
});
