import type { Snapshot } from '@klassic/test-support';

interface Write {
  readonly who: string;
  readonly op: string;
  readonly path: string;
  readonly isRefused: boolean;
}

/**
 * Tells the writes of settings that a client asked some broker for. Which one is the client's choice: they are compared as
 * anybody's, in their order. (A topic's first settings are written with the topic, by the broker that creates it.)
 *
 * @param before the tree when the writes began: whose session has a broker's registration asked for nothing while it started
 */
export function settingsByAnybody(before: Snapshot): (write: Write) => boolean {
  const owners = Object.entries(before).filter(([path]) => path.startsWith('/brokers/ids/'));
  const registered = new Set(owners.map(([, { ephemeral }]) => ephemeral));
  return ({ who, op, path, isRefused }) => {
    if (path.startsWith('/brokers/ids/') && !isRefused) registered.add(who);
    if (path === '/config/changes') return registered.has(who);
    if (path.startsWith('/config/topics/')) return op === 'setData' && !isRefused;
    return /^\/config\/(changes|brokers|clients|users|ips)\/./.test(path);
  };
}
