import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';

/** What every disk writes as one. */
const SECTOR_BYTES = 512;

/** Whether the operating system refused something, as opposed to an error of ours. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return typeof error === 'object' && error !== null && 'syscall' in error && 'errno' in error;
}

export function isNotFound(error: unknown): boolean {
  return isSystemError(error) && error.code === 'ENOENT';
}

/** Opens for reading and writing at any position; makes the file when there is none, never cuts one. */
export function openFile(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
}

/** Writes all bytes at `position` of the file. */
export function writeFully(fd: number, bytes: Buffer, position: number): void {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written);
  }
}

/** Fills `target` from `position` of the file on; returns the number of bytes got, fewer only at the file's end. */
export function readFully(fd: number, target: Buffer, position: number): number {
  let got = 0;
  while (got < target.length) {
    const read = readSync(fd, target, got, target.length - got, position + got);
    if (read === 0) break;
    got += read;
  }
  return got;
}

/** Removes a file; false when there was none. */
export function deleteIfExists(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

export function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Size in bytes; 0 when there is no such file. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Replaces the content of `path` in one step: temporary file, fsync, rename. The folder is not flushed: 2.8 does not, so
 * a power failure may bring the old content back.
 */
export function replaceFile(path: string, content: string | Buffer): void {
  const temporary = `${path}.tmp`;
  const fd = openSync(temporary, 'w');
  try {
    writeFully(fd, typeof content === 'string' ? Buffer.from(content) : content, 0);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}

/**
 * As `replaceFile`, with the disk's share of it off the thread.
 *
 * @param isCurrent asked before the last step: false leaves the file as it is, for something newer was written
 */
export async function replaceFileInBackground(path: string, content: string, isCurrent: () => boolean): Promise<void> {
  // Not the temporary file of `replaceFile`, which may be called meanwhile.
  const temporary = `${path}.background.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  if (isCurrent()) renameSync(temporary, path);
  else unlinkSync(temporary);
}

/**
 * Writes `content` over that of a file which is not shorter afterwards, without flushing: some twenty times cheaper than
 * a new file. What lies in one sector is written whole or not at all.
 *
 * @returns false, with nothing written, when the content is larger than a sector or smaller than what is there
 */
export function overwriteSmallFile(path: string, content: string): boolean {
  const bytes = Buffer.from(content);
  if (bytes.length > SECTOR_BYTES) return false;
  const fd = openFile(path);
  try {
    if (fstatSync(fd).size > bytes.length) return false;
    writeFully(fd, bytes, 0);
    return true;
  } finally {
    closeSync(fd);
  }
}

/** Plain files of a folder, by name, sorted. */
export function fileNamesIn(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

/** Folders in a folder, by name, sorted. */
export function folderNamesIn(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

export function deleteTree(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}

/** fsync off the thread, through a handle of its own. A file that was deleted or renamed away meanwhile needs none. */
export async function flushInBackground(path: string): Promise<void> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

export function flushDir(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
