/*
 * A ZIP of files as they are (method "stored"), written around them: the parts refer to the files, and nobody ever
 * holds the whole. APPNOTE 6.3.10, sections 4.3.7 to 4.3.16, with ZIP64 (4.5.3) only where a number does not fit.
 *
 * The same files give the same bytes, on every machine and at every hour, so that an upload can go on after a reload.
 * Hence the one date for all: the archive has no use for that of a file, and DOS time would change with the time zone.
 */
import { crc32 } from "./crc32";

export interface Member {
  path: string;
  size: number;
}

export interface Checked extends Member {
  crc: number;
  body: Blob;
}

export interface Zip {
  parts: BlobPart[];
  /** CRC-32 of the list of contents, which holds every name, size and checksum: it tells the ZIP from any other. */
  mark: number;
}

const full16 = 0xffff;
const full32 = 0xffffffff;
const flagUtf8 = 0x0800;
const firstOf1980 = 0x0021;
/** Made on Unix, for programs that then read the permissions of `regularFile`. */
const unix = 3 << 8;
const regularFile = (0o100644 << 16) >>> 0;
const encoder = new TextEncoder();

/** A record of a known length, filled from its beginning, little end first. */
class Record {
  readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly view: DataView;
  private at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }

  two(...values: number[]): this {
    for (const value of values) this.view.setUint16((this.at += 2) - 2, value, true);
    return this;
  }

  four(...values: number[]): this {
    for (const value of values) this.view.setUint32((this.at += 4) - 4, value, true);
    return this;
  }

  eight(...values: number[]): this {
    for (const value of values) this.view.setBigUint64((this.at += 8) - 8, BigInt(value), true);
    return this;
  }

  text(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
    return this;
  }
}

function fits(value: number): boolean {
  return value < full32;
}

/** Which of the numbers stand in the ZIP64 field, as they do not fit in the record: sizes both, then the offset. */
function wideOnes(size: number, offset?: number): number[] {
  return [...(fits(size) ? [] : [size, size]), ...(offset === undefined || fits(offset) ? [] : [offset])];
}

function fieldLength(wide: number[]): number {
  return wide.length ? 4 + 8 * wide.length : 0;
}

function putField(record: Record, wide: number[]): Record {
  return wide.length ? record.two(1, 8 * wide.length).eight(...wide) : record;
}

function localHeader(member: Checked, name: Uint8Array): Uint8Array<ArrayBuffer> {
  const wide = wideOnes(member.size);
  const size = Math.min(member.size, full32);
  const record = new Record(30 + name.length + fieldLength(wide))
    .four(0x04034b50)
    .two(wide.length ? 45 : 20, flagUtf8, 0, 0, firstOf1980)
    .four(member.crc, size, size)
    .two(name.length, fieldLength(wide))
    .text(name);
  return putField(record, wide).bytes;
}

function entry(member: Checked, name: Uint8Array, offset: number): Uint8Array<ArrayBuffer> {
  const wide = wideOnes(member.size, offset);
  const size = Math.min(member.size, full32);
  const version = wide.length ? 45 : 20;
  const record = new Record(46 + name.length + fieldLength(wide))
    .four(0x02014b50)
    .two(unix | version, version, flagUtf8, 0, 0, firstOf1980)
    .four(member.crc, size, size)
    .two(name.length, fieldLength(wide), 0, 0, 0)
    .four(regularFile, Math.min(offset, full32))
    .text(name);
  return putField(record, wide).bytes;
}

function needsWideEnd(entries: number, size: number, offset: number): boolean {
  return entries >= full16 || !fits(size) || !fits(offset);
}

function end(entries: number, size: number, offset: number): Uint8Array<ArrayBuffer> {
  const wide = needsWideEnd(entries, size, offset);
  const record = new Record(wide ? 98 : 22);
  if (wide) {
    record.four(0x06064b50).eight(44).two(unix | 45, 45).four(0, 0).eight(entries, entries, size, offset);
    record.four(0x07064b50, 0).eight(offset + size).four(1);
  }
  const short = Math.min(entries, full16);
  return record.four(0x06054b50).two(0, 0, short, short).four(Math.min(size, full32), Math.min(offset, full32)).two(0)
    .bytes;
}

/** How many bytes the ZIP will have, which its files' names and sizes alone decide. */
export function zipSize(members: readonly Member[]): number {
  let offset = 0;
  let directory = 0;
  for (const { path, size } of members) {
    const name = encoder.encode(path).length;
    directory += 46 + name + fieldLength(wideOnes(size, offset));
    offset += 30 + name + fieldLength(wideOnes(size)) + size;
  }
  return offset + directory + (needsWideEnd(members.length, directory, offset) ? 98 : 22);
}

/** The parts of the ZIP, in their order; the members stay in theirs. */
export function zipOf(members: readonly Checked[]): Zip {
  const parts: BlobPart[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  let size = 0;
  let mark = 0;
  for (const member of members) {
    const name = encoder.encode(member.path);
    const header = localHeader(member, name);
    const line = entry(member, name, offset);
    parts.push(header, member.body);
    directory.push(line);
    offset += header.length + member.size;
    size += line.length;
    mark = crc32(line, mark);
  }
  parts.push(new Blob(directory), end(members.length, size, offset));
  return { parts, mark };
}
