import { InvalidConnectStringError } from '../errors.ts';

/** `zookeeper.connect` taken apart. */
export interface ConnectString {
  /** `host:port,host:port`, without the chroot. */
  readonly servers: string;
  /** Absolute path under which everything lives; undefined when that is the root. */
  readonly chroot: string | undefined;
}

/**
 * Reads `host:port[,host:port…][/chroot]`; a port left out is 2181.
 *
 * @throws InvalidConnectStringError with one line for the user
 */
export function parseConnectString(text: string): ConnectString {
  const slash = text.indexOf('/');
  const servers = slash === -1 ? text : text.slice(0, slash);
  const chroot = slash === -1 ? '' : text.slice(slash);
  const refuse = (why: string): never => {
    throw new InvalidConnectStringError(`Invalid value ${text} for configuration zookeeper.connect: ${why}`);
  };
  const hosts = servers.split(',').map((server) => server.trim());
  if (hosts.every((host) => host === '')) refuse('no server is named');
  for (const host of hosts) {
    const parts = /^([^:\s]+)(?::(\d{1,5}))?$/.exec(host);
    if (parts === null) refuse(`${host === '' ? 'an empty server' : host} is not of the form host:port`);
    const port = Number(parts?.[2] ?? 2181);
    if (port < 1 || port > 65535) refuse(`${host} has no valid port`);
  }
  if (chroot !== '' && chroot !== '/' && !/^(\/(?!\.{1,2}(\/|$))[^/]+)+$/.test(chroot)) {
    refuse(`${chroot} is not a valid path`);
  }
  return { servers: hosts.join(','), chroot: chroot === '' || chroot === '/' ? undefined : chroot };
}
