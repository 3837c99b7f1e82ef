/* Uploads that an earlier visit of this browser left unfinished, and how much of each the server has. */
import { defaultOptions, type PreviousUpload } from "tus-js-client";
import { fingerprintPrefix, markIn } from "./job";
import { readMark } from "./parcel";

export interface Unfinished {
  key: string;
  url: string;
  name: string;
  /** How many files were in it, and whether they came as one folder. */
  files: number;
  folder: boolean;
  cohort: string;
  size: number;
  offset: number;
  begun: Date;
}

const storage = defaultOptions.urlStorage;

async function offsetOf(url: string): Promise<number | "gone" | "unknown"> {
  try {
    const answer = await fetch(url, {
      method: "HEAD",
      headers: { "Tus-Resumable": "1.0.0" },
      credentials: "same-origin",
      cache: "no-store",
    });
    if (answer.status === 404 || answer.status === 410) return "gone";
    if (!answer.ok) return "unknown";
    return Number(answer.headers.get("Upload-Offset") ?? 0);
  } catch {
    return "unknown";
  }
}

export async function forget(key: string): Promise<void> {
  await storage.removeUpload(key);
}

/** Asks the server about each; those it no longer has, or has whole, are forgotten. */
export async function findUnfinished(person: string): Promise<Unfinished[]> {
  const mine = (await storage.findAllUploads()).filter(
    (upload): upload is PreviousUpload & { uploadUrl: string } =>
      upload.uploadUrl !== null && upload.urlStorageKey.startsWith(`tus::${fingerprintPrefix(person)}`),
  );
  const found: Unfinished[] = [];
  for (const upload of mine.slice(0, 50)) {
    const offset = await offsetOf(upload.uploadUrl);
    const size = upload.size ?? 0;
    if (offset === "gone" || (offset !== "unknown" && offset >= size)) {
      await forget(upload.urlStorageKey);
      continue;
    }
    found.push({
      key: upload.urlStorageKey,
      url: upload.uploadUrl,
      ...readMark(markIn(upload.urlStorageKey, person)),
      name: upload.metadata["filename"] ?? "a file",
      cohort: upload.metadata["cohort"] ?? "",
      size,
      offset: offset === "unknown" ? 0 : offset,
      begun: new Date(upload.creationTime),
    });
  }
  return found;
}
