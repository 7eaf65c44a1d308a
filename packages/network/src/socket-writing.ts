import type { Socket } from 'node:net';

/**
 * Writes the chunks of a frame without joining them. Whatever is written to the socket before the work in hand ends,
 * with all that follows from promises already settled, goes to the operating system in one call (writev): the answers
 * to requests that came together go out together.
 *
 * @param written called when the last chunk has been taken, or with the error that prevented it
 */
export function writeChunks(socket: Socket, chunks: readonly Buffer[], written?: (error?: Error | null) => void): void {
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => {
      socket.uncork();
    });
  }
  const last = chunks.length - 1;
  for (let index = 0; index < last; index += 1) socket.write(chunks[index]!);
  socket.write(chunks[last]!, written);
}
