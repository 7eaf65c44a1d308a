import { apiNames } from '@klassic/test-support';
import type { LoggedRequest, WrittenTransaction } from '@klassic/test-support';
import { brokerIdOf } from './elections.ts';
import type { Elections } from './elections.ts';

const anyVersion = -1;
/** What brokers write by themselves or for their clients, without being controller. */
const anyBrokers = [
  // The persistent paths that each makes sure of when it starts.
  /^create \/(consumers|brokers\/ids|brokers\/topics|config\/changes|admin\/delete_topics|brokers\/seqid)$/,
  /^create \/(isr_change_notification|latest_producer_id_block|log_dir_event_notification)$/,
  /^create \/(config\/(topics|clients|users|brokers|ips)|brokers|config|admin|cluster|cluster\/id)$/,
  // Topics and settings that a client asked for.
  /^(create|setData) \/config\/topics\/[^/]+$/,
  /^create \/brokers\/topics\/[^/]+$/,
  // A block of producer ids; a leader's notification of its ISR changes.
  /^setData \/latest_producer_id_block$/,
  /^create \/isr_change_notification\/isr_change_$/,
];

/**
 * The writes that no broker may make as it did: what belongs to the controller without a check of the epoch that it won, or a
 * leader's ISR without the version that it knows. Each as a line; none of them were refused.
 */
export function wrongWrites(written: readonly WrittenTransaction[], elections: Elections): string[] {
  return written
    .filter((txn) => txn.code === 'OK' && !isRight(txn, elections))
    .map(({ who, ops }) => `${who}: ${ops.map(({ op, path }) => `${op} ${path}`).join('; ')}`);
}

function isRight({ who, ops, isMulti }: WrittenTransaction, elections: Elections): boolean {
  const [first, second] = ops as [WrittenTransaction['ops'][number], WrittenTransaction['ops'][number] | undefined];
  const brokerId = brokerIdOf(who);
  if (!isMulti) {
    const isIsr = first.op === 'setData' && /^\/brokers\/topics\/[^/]+\/partitions\/\d+\/state$/.test(first.path);
    if (isIsr) return first.version !== anyVersion && leaderIn(first.data) === brokerId;
    // Before the first election the epoch's znode, and that of the features, is made by whoever is about to be elected.
    if (first.op === 'create' && ['/controller_epoch', '/feature'].includes(first.path)) return true;
    return anyBrokers.some((rule) => rule.test(`${first.op} ${first.path}`));
  }
  if (first.op === 'check' && first.path === '/controller_epoch') return elections.isWinner(first.version!, brokerId);
  if (first.path === '/controller') return second?.path === '/controller_epoch' && second.version !== anyVersion;
  return first.op === 'create' && first.path === `/brokers/ids/${brokerId}` && second?.path === first.path;
}

function leaderIn(data: Buffer | null | undefined): number {
  return (JSON.parse(String(data)) as { leader: number }).leader;
}

/** The requests of controllers, as one broker logged them, that bear another epoch than their sender's, or were taken too late. */
export function wrongRequests(requests: readonly LoggedRequest[], elections: Elections): string[] {
  let newest = 0;
  const wrong: string[] = [];
  for (const { api, clientId, request, response } of requests) {
    // A test's own requests come from no broker.
    if (!(api in apiNames) || !/^\d+$/.test(clientId)) continue;
    const epoch = Number(request['controllerEpoch']);
    const line = `${api} of epoch ${epoch} from ${clientId}`;
    if (request['controllerId'] !== Number(clientId) || !elections.isWinner(epoch, Number(clientId))) wrong.push(line);
    if (response['errorCode'] !== 0) continue;
    if (epoch < newest) wrong.push(`${line} after epoch ${newest}`);
    newest = epoch;
  }
  return wrong;
}
