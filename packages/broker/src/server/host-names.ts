import { lookup } from 'node:dns/promises';

/** Whether a text is an address, or the name of a host that has one. */
export async function isResolvable(host: string): Promise<boolean> {
  try {
    await lookup(host);
    return true;
  } catch {
    // Whatever the resolver says: there is no address for it.
    return false;
  }
}
