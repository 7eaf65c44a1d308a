import type { Socket } from 'node:net';

/**
 * Hands the chunks of a frame to the operating system in one call (writev), without joining them.
 *
 * @param written called when the last chunk has been taken, or with the error that prevented it
 */
export function writeChunks(socket: Socket, chunks: readonly Buffer[], written?: (error?: Error | null) => void): void {
  const last = chunks.length - 1;
  if (last > 0) socket.cork();
  for (let index = 0; index < last; index += 1) socket.write(chunks[index]!);
  socket.write(chunks[last]!, written);
  if (last > 0) socket.uncork();
}
