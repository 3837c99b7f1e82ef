/* What goes up as one upload: a file as it is, or several in a ZIP that is made around them. */
import { fileSize, number } from "../site/words";
import type { Chosen } from "./chosen";
import { crc32, crc32Of } from "./crc32";
import { zipOf, zipSize } from "./zip";

export interface Limits {
  /** Most bytes of one upload. */
  size: number;
  /** Most files in one ZIP. */
  files: number;
}

export interface Prepared {
  files: number;
  bytes: number;
}

export interface Ready {
  body: Blob;
  /** What tells, on this visit or a later one, that the same bytes were chosen again. */
  mark: string;
}

export interface Parcel {
  readonly name: string;
  readonly size: number;
  readonly type: string;
  /** How many files are in it, and how many bytes they have. */
  readonly files: number;
  readonly bytes: number;
  /** The same for the same choice within this visit. */
  readonly key: string;
  /** Why it cannot be sent; empty where it can. */
  fault(limits: Limits): string;
  /** Rejects with `Unreadable`, or with the signal's reason. */
  ready(told: (prepared: Prepared) => void, signal: AbortSignal): Promise<Ready>;
}

/** A file that was there when it was chosen and cannot be read now. */
export class Unreadable extends Error {
  constructor(path: string) {
    super(`${path} cannot be read: it was changed, moved or taken away. Choose the files again.`);
  }
}

export class Single implements Parcel {
  readonly files = 1;

  constructor(private readonly file: File) {}

  get name(): string {
    return this.file.name;
  }

  get size(): number {
    return this.file.size;
  }

  get bytes(): number {
    return this.file.size;
  }

  get type(): string {
    return this.file.type || "application/octet-stream";
  }

  get key(): string {
    return [this.file.name, this.file.size, this.file.lastModified].join("/");
  }

  /** The server has the last word, and says it before the first byte. */
  fault(): string {
    return "";
  }

  async ready(): Promise<Ready> {
    return { body: this.file, mark: this.key };
  }
}

/** How the mark of a bundle begins; a file of this name would have a number for its size where this has a word. */
const bundleMark = /^zip\/(folder|files)\/(\d+)\//;

/** What a mark says of how its bytes were chosen. */
export function readMark(mark: string): { files: number; folder: boolean } {
  const found = bundleMark.exec(mark);
  return found ? { files: Number(found[2]), folder: found[1] === "folder" } : { files: 1, folder: false };
}

function compare(one: Chosen, other: Chosen): number {
  // By code units: a browser's language must not change the order, and with it the bytes.
  if (one.path !== other.path) return one.path < other.path ? -1 : 1;
  return one.file.size - other.file.size || one.file.lastModified - other.file.lastModified;
}

export class Bundle implements Parcel {
  readonly type = "application/zip";
  readonly name: string;
  readonly size: number;
  readonly bytes: number;
  readonly key: string;
  private readonly folder: string;
  private readonly chosen: readonly Chosen[];
  /** Checksums of the first files, kept when a pause ends the reading. */
  private readonly checksums: number[] = [];

  constructor(chosen: readonly Chosen[]) {
    // A browser lists a folder in no order of its own.
    this.chosen = [...chosen].sort(compare);
    this.folder = this.commonFolder();
    this.name = this.chooseName();
    this.size = zipSize(this.chosen.map(({ file, path }) => ({ path, size: file.size })));
    this.bytes = this.chosen.reduce((sum, { file }) => sum + file.size, 0);
    const list = this.chosen.map(({ file, path }) => `${path}/${file.size}/${file.lastModified}`).join("\n");
    this.key = [this.name, this.size, crc32(new TextEncoder().encode(list))].join("/");
  }

  get files(): number {
    return this.chosen.length;
  }

  fault(limits: Limits): string {
    if (this.files > limits.files) {
      return `${number(this.files)} files are too many for one upload, which may have ${number(limits.files)}. Choose fewer at a time, with the files of an image together.`;
    }
    if (this.size > limits.size) {
      return `${number(this.files)} files have ${fileSize(this.size)} together, and one upload may have ${fileSize(limits.size)}. Choose fewer at a time, with the files of an image together.`;
    }
    return "";
  }

  async ready(told: (prepared: Prepared) => void, signal: AbortSignal): Promise<Ready> {
    let bytes = 0;
    for (const [place, { file, path }] of this.chosen.entries()) {
      if (place < this.checksums.length) {
        bytes += file.size;
        continue;
      }
      told({ files: place, bytes });
      const read = (more: number): void => told({ files: place, bytes: (bytes += more) });
      const checksum = await crc32Of(file, read, signal).catch((error: unknown) => {
        throw signal.aborted ? error : new Unreadable(path);
      });
      // Not pushed: a reading that was paused may still end its file while the next has begun with the same.
      this.checksums[place] = checksum;
    }
    const members = this.chosen.map(({ file, path }, place) => ({
      path,
      size: file.size,
      crc: this.checksums[place] ?? 0,
      body: file,
    }));
    const { parts, mark } = zipOf(members);
    const body = new Blob(parts, { type: this.type });
    const from = this.folder ? "folder" : "files";
    return { body, mark: ["zip", from, this.files, mark.toString(16), this.size, this.name].join("/") };
  }

  private commonFolder(): string {
    const tops = new Set(this.chosen.map(({ path }) => (path.includes("/") ? path.slice(0, path.indexOf("/")) : "")));
    return tops.size === 1 ? ([...tops][0] ?? "") : "";
  }

  private chooseName(): string {
    // Cut by characters, of which an upload's name may have 255.
    if (this.folder) return `${[...this.folder].slice(0, 200).join("")}.zip`;
    const first = this.chosen[0]?.path.split("/")[0] ?? "";
    return `${[...first].slice(0, 200).join("")} and ${this.files - 1} more.zip`;
  }
}
