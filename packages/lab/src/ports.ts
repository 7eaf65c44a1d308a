import { createServer } from 'node:net';

/** Below what systems give to outgoing connections (32768 and up on Linux, 49152 and up elsewhere). */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** Given away by this process, and perhaps not listened on yet. */
const given = new Set<number>();

/**
 * `count` consecutive ports of 127.0.0.1 that nobody listens on now, from where no outgoing connection takes one before
 * they are used. None is given twice by one process; the search begins by chance, so that two processes that search at once
 * do not find the same.
 */
export async function freePorts(count: number): Promise<number[]> {
  const span = LAST_PORT - FIRST_PORT;
  const begin = Math.floor(Math.random() * span);
  for (let tried = 0; tried < span; tried += count) {
    const first = FIRST_PORT + ((begin + tried) % span);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if (ports.some((port) => given.has(port))) continue;
    const free = await Promise.all(ports.map(isPortFree));
    if (!free.every(Boolean) || ports.some((port) => given.has(port))) continue;
    for (const port of ports) given.add(port);
    return ports;
  }
  throw new Error(`no ${count} free ports between ${FIRST_PORT} and ${LAST_PORT}`);
}

/** One free port of 127.0.0.1. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

/** Can this port of 127.0.0.1 be listened on? */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
