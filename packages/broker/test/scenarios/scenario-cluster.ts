import { grouped, isControllersOwn, isLostRace, isOwn, recordedText, transactionText } from '@klassic/test-support';
import type { RecordedTransaction, WrittenTransaction } from '@klassic/test-support';
import { createTopic } from '../integration/cluster.ts';
import { expectSame } from './comparison.ts';
import type { Compared } from './comparison.ts';
import { told } from './controller-requests.ts';
import type { Rpc } from './controller-requests.ts';
import { brokerIdOf } from './elections.ts';
import type { Elections } from './elections.ts';
import { epochsAsked } from './epoch-requests.ts';
import { RecordedScenario } from './recorded-scenario.ts';
import { settingsByAnybody } from './settings-writes.ts';
import { brokerIds, TappedCluster } from './tapped-cluster.ts';
import type { TappedClusterParts } from './tapped-cluster.ts';
import { isLeftOut, readTree, recordedTree } from './tree.ts';
import type { Watches } from './watch-book.ts';

/** In the place of a session's name: whichever broker the client asked. */
const anybody = 'on request, by any broker';
/** The recordings' brokers listen on 19091, 19092 and 19093. */
const recordedPort = (brokerId: number): number => 19_090 + brokerId;

export interface StartScenarioOptions {
  /** The step of the recording, by the beginning of its name, before which the test ends; left out: its end. */
  readonly until?: string;
  /** Settings of one broker over those of the recording. */
  readonly brokerOverrides?: (brokerId: number) => Readonly<Record<string, string>>;
}

/**
 * A cluster in the state in which a captured scenario began. The test does the scenario's steps; trees, watches, writes and
 * requests stand then beside those of the original in one form, which leaves out what two runs of the original itself do
 * differently (the recordings' README says what).
 */
export class ScenarioCluster extends TappedCluster {
  private readonly name: string;
  private recorded: RecordedScenario;
  private readonly left: string[] = [];

  private constructor(name: string, recorded: RecordedScenario, parts: TappedClusterParts) {
    super(parts);
    this.name = name;
    this.recorded = recorded;
  }

  /**
   * Starts the cluster, makes the topics that the scenario begins with, and checks that tree and watches are those of the recording.
   */
  static async start(name: string, { until, brokerOverrides }: StartScenarioOptions = {}): Promise<ScenarioCluster> {
    const recorded = new RecordedScenario(name, { until });
    const parts = await TappedCluster.parts(recorded.properties, brokerOverrides);
    const scenario = new ScenarioCluster(name, recorded, parts);
    await scenario.begin();
    return scenario;
  }

  /** From here on the recording is compared from that step on, by the beginning of its name, and up to its end. */
  goOnFrom(step: string): void {
    this.recorded = new RecordedScenario(this.name, { from: step });
    this.mark();
  }

  /** SIGTERM, and waits for the end. The comparison allows for what a leaving broker does not take any more. */
  async leave(brokerId: number, life: number): Promise<void> {
    this.left.push(`broker-${brokerId} life ${life}`);
    await this.terminate(brokerId);
  }

  /** kill -9 while the controller may have more to tell it: as for one that leaves, what it takes is a matter of milliseconds. */
  async killAtOnce(brokerId: number, life: number): Promise<void> {
    this.left.push(`broker-${brokerId} life ${life}`);
    await this.broker(brokerId).kill();
  }

  /** The tree is that of the recording's snapshot, as soon as what is still under way has come to its end. */
  async expectTree(label: string): Promise<void> {
    const expected = recordedTree(this.recorded.snapshot(label));
    await expectSame(async () => ({ actual: await this.tree(), expected }), `tree of ${label}`);
  }

  /** The tree has the paths of the recording's snapshot: where what stands in some of them is a race. */
  async expectPaths(label: string): Promise<void> {
    const paths = (tree: Record<string, string>): Record<string, string> =>
      Object.fromEntries(Object.entries(tree).map(([path, text]) => [path, /ephemeral$/.exec(text)?.[0] ?? '']));
    const expected = paths(recordedTree(this.recorded.snapshot(label)));
    await expectSame(async () => ({ actual: paths(await this.tree()), expected }), `paths of ${label}`);
  }

  /** Each living session watches what the original's did: the controller, and the other brokers in their order. */
  async expectWatches(label: string): Promise<void> {
    const snapshot = this.recorded.snapshot(label);
    // The recording lists sessions that have ended as well, with what they once watched.
    const owners = Object.entries(snapshot).map(
      ([path, { ephemeral }]) => path.startsWith('/brokers/ids/') && ephemeral,
    );
    const recorded = Object.entries(this.recorded.watches(label)).filter(([who]) => owners.includes(who));
    const expected = byRole(recorded, snapshot['/controller']?.ephemeral);
    await expectSame(async () => {
      const registered = await this.znodes.brokerIds();
      const living = this.taps.filter((_, index) => registered.includes(index + 1)).map((tap) => tap.watches!);
      const newest = `broker-${await this.znodes.controllerId()}#`;
      const who = living.find((each) => each.who.startsWith(newest))?.who;
      return {
        actual: byRole(
          living.map((each) => [each.who, each.watches] as const),
          who,
        ),
        expected,
      };
    }, `watches of ${label}`);
  }

  /** (a) of a label: tree and watches. */
  async expectSnapshot(label: string): Promise<void> {
    await this.expectTree(label);
    await this.expectWatches(label);
  }

  /** (b) Each session wrote what the original's did, in its order; the controller's writes and the broker's own by themselves. */
  async expectWrites(): Promise<void> {
    await expectSame(() => this.writes(), 'writes');
  }

  /**
   * (c) Each broker, in each of its lives, was told the same in the same order.
   *
   * @param withRefreshes also what tells ISRs that leaders have written: where each of them is waited for
   * @param until the step of the recording before which it is compared; left out: as far as the scenario goes
   */
  async expectRpcs({ withRefreshes = false, until }: { withRefreshes?: boolean; until?: string } = {}): Promise<void> {
    const recorded = until === undefined ? this.recorded : new RecordedScenario(this.name, { until });
    await expectSame(() => this.rpcs(recorded, withRefreshes), 'requests');
  }

  /** What followers asked about leader epochs, and were answered. */
  async expectEpochsAsked(): Promise<void> {
    await expectSame(
      () => ({ actual: epochsAsked(this.logged()), expected: epochsAsked(this.recorded.requests()) }),
      'questions about leader epochs',
    );
  }

  private writes(): Compared {
    const recorded = this.recorded.transactions().filter((txn) => !isLeftOut(txn.ops ?? [txn.request ?? txn]));
    const written = brokerIds
      .flatMap((id) => this.writtenBy(id))
      .sort((one, other) => one.order - other.order)
      .filter(({ ops, code }) => !isLeftOut(ops) && !isLostRace(ops, code) && !isRefusedRegistration(ops, code));
    const elections = this.elections();
    const winners = this.recorded.elections();
    const before = this.recorded.snapshot('before');
    const isSetting = settingsByAnybody(before);
    const actual = grouped(
      written,
      ({ who, ops, isMulti, code }) => {
        if (isSetting({ who, ...ops[0]!, isRefused: code !== 'OK' })) return anybody;
        return isOwn(ops, isMulti) ? controllerPart(who, epochOf(ops), elections) : who;
      },
      (txn) => withoutChance(this.inRecordedNames(transactionText(txn))),
    );
    const isRecordedSetting = settingsByAnybody(before);
    const expected = grouped(
      recorded,
      (txn) => {
        const { op, path } = txn.ops?.[0] ?? txn.request ?? txn;
        if (isRecordedSetting({ who: txn.who, op, path, isRefused: txn.error !== undefined })) return anybody;
        return isControllersOwn(txn) ? controllerPart(txn.who, recordedEpochOf(txn), winners) : txn.who;
      },
      (txn) => withoutChance(recordedText(txn)),
    );
    return { actual, expected };
  }

  private rpcs(recorded: RecordedScenario, withRefreshes: boolean): Compared {
    const before = recorded.snapshot('before');
    const logged = this.logged();
    const expected = told(recorded.requests(), before, recorded.elections(), withRefreshes);
    const actual = told(logged, before, this.elections(), withRefreshes);
    // A broker that leaves takes more or fewer of the last requests that it is sent.
    for (const [life, texts] of Object.entries(expected)) {
      const length = Math.min(texts.length, actual[life]?.length ?? 0);
      if (!this.left.some((end) => life.endsWith(end)) || length === 0) continue;
      expected[life] = texts.slice(0, length);
      actual[life] = actual[life]!.slice(0, length);
    }
    return { actual, expected };
  }

  private logged(): Rpc[] {
    return brokerIds.flatMap((id) =>
      this.requestsTo(id).map(({ clientId, api, apiVersion, request, response }) => ({
        from: `broker-${clientId}`,
        to: `broker-${id}`,
        api,
        v: apiVersion,
        request: JSON.parse(this.inRecordedNames(JSON.stringify(request))) as Record<string, unknown>,
        response,
      })),
    );
  }

  private async begin(): Promise<void> {
    // The first scenario begins with nothing: it is the start of the brokers.
    if (this.recorded.snapshot('before')['/brokers'] === undefined) return;
    for (const { name, assignment, configs } of this.recorded.topics()) {
      await createTopic(this.bootstrapServers, name, assignment, configs);
      await this.waitForIsrs(name, assignment.length, assignment[0]!.length);
      await this.waitUntilTold(name, assignment.length);
    }
    await this.expectSnapshot('before');
    this.mark();
  }

  private tree(): Promise<Record<string, string>> {
    return readTree(this.znodes, (text) => this.inRecordedNames(text));
  }

  private inRecordedNames(text: string): string {
    const clusterId = text.replace(/"id":"[\w-]{22}"/, '"id":"<cluster-id-1>"');
    return this.cluster.brokers.reduce(
      (replaced, { id, port }) => replaced.replaceAll(String(port), String(recordedPort(id))),
      clusterId,
    );
  }
}

function byRole(
  sessions: readonly (readonly [string, Watches])[],
  controller: string | undefined,
): Record<string, Watches> {
  // Nothing is watched by a broker that was killed, and is registered until its session expires.
  const living = sessions.filter(([, { data, child }]) => data.length + child.length > 0);
  const others = living.filter(([who]) => who !== controller).sort(([a], [b]) => (a < b ? -1 : 1));
  const roles: [string, Watches][] = others.map(([, watches], index) => [`other broker ${index + 1}`, watches]);
  for (const [who, watches] of living) if (who === controller) roles.push(['controller', watches]);
  return Object.fromEntries(roles);
}

function controllerPart(who: string, epoch: number | undefined, elections: Elections): string {
  // What precedes the first election: /controller_epoch and /feature.
  return epoch === undefined
    ? `${who} before it is elected`
    : `${elections.nameOf(epoch, brokerIdOf(who))} as controller`;
}

/** The epoch in which a controller wrote: the version that it checks, or the epoch that it makes its own. */
function epochOf(ops: WrittenTransaction['ops']): number | undefined {
  if (ops[0]!.path === '/controller') return Number(ops[1]!.data);
  return ops[0]!.op === 'check' ? ops[0]!.version : undefined;
}

function recordedEpochOf({ ops }: RecordedTransaction): number | undefined {
  if (ops?.[0]?.path === '/controller') return Number(ops[1]!.data);
  // ZooKeeper logs the version that a check expects plus one.
  return ops?.[0]?.op === 'check' ? ops[0].version! - 1 : undefined;
}

/** As the recording's are left out: the broker ends, which is what is seen of it. */
function isRefusedRegistration(ops: WrittenTransaction['ops'], code: string): boolean {
  return code !== 'OK' && ops[0]!.path.startsWith('/brokers/ids/');
}

/** Without the winner of an election and the numbers of notifications, which count those of tools as well. */
function withoutChance(text: string): string {
  return text
    .replace(/^(create \/controller \{"brokerid":)\d+/, '$1"<controller>"')
    .replace(/^(create \/(?:config\/changes\/config_change|log_dir_event_notification\/log_dir_event)_)\d+/, '$1');
}
