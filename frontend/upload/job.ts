/* One upload on its way: what is read beforehand, a tus upload, and the state that the page shows. */
import { Upload, type UploadOptions } from "tus-js-client";
import { checksumStack } from "./checksums";
import { type Limits, type Parcel, type Prepared, Unreadable } from "./parcel";
import { Rate } from "./rate";
import { cannotSend, explain, explainStatus, type Refusal } from "./refusals";

export type State = "waiting" | "preparing" | "sending" | "paused" | "done" | "stopped" | "cancelled";

export interface Place {
  endpoint: string;
  cohort: string;
  csrfToken: string;
  /** Whose uploads these are: another person on the same browser must not be offered them. */
  person: string;
  limits: Limits;
}

const chunkSize = 8 * 1024 * 1024;

export function fingerprintPrefix(person: string): string {
  return `medtheca/${person}/`;
}

/** What tells that what is chosen later is the same; `mark` is that of the parcel. */
function fingerprint(mark: string, place: Place): string {
  return `${fingerprintPrefix(place.person)}${place.cohort}/${mark}`;
}

/** The mark in the key under which tus-js-client keeps an upload. */
export function markIn(key: string, person: string): string {
  return key.slice(`tus::${fingerprintPrefix(person)}`.length).replace(/^[^/]*\//, "");
}

export class Job {
  state: State = "waiting";
  sent = 0;
  /** What has been read of the files, before the first byte is sent. */
  prepared: Prepared = { files: 0, bytes: 0 };
  refusal: Refusal | null = null;
  readonly rate = new Rate();
  private upload: Upload | null = null;
  private reading: AbortController | null = null;
  /** 401 or 403 of a question about an upload begun earlier. */
  private denied = 0;

  constructor(
    readonly parcel: Parcel,
    readonly place: Place,
    private readonly changed: (job: Job) => void,
  ) {}

  private options(mark: string): UploadOptions {
    const { parcel, place } = this;
    return {
      endpoint: place.endpoint,
      chunkSize,
      retryDelays: [0, 1000, 3000, 5000, 10_000, 20_000, 30_000],
      metadata: {
        filename: parcel.name,
        filetype: parcel.type,
        cohort: place.cohort,
      },
      fingerprint: async () => fingerprint(mark, place),
      removeFingerprintOnSuccess: true,
      httpStack: checksumStack(),
      onBeforeRequest: (request) => {
        if (!/^(GET|HEAD|OPTIONS)$/.test(request.getMethod())) request.setHeader("X-CSRFToken", place.csrfToken);
      },
      onAfterResponse: (request, response) => {
        // tus-js-client takes any refusal of HEAD for "gone" and would forget what the server still
        // keeps for someone whose session has merely ended. An error thrown here stops it.
        const status = response.getStatus();
        if (request.getMethod() !== "HEAD" || (status !== 401 && status !== 403)) return;
        this.denied = status;
        throw new Error(`the server answered ${status}`);
      },
      onShouldRetry: (error) => {
        if (this.denied || cannotSend(error)) return false;
        const status = error.originalResponse?.getStatus() ?? 0;
        // 0: no answer. 409 and 423: another request holds the upload. 460: the bytes were damaged on the way.
        return status === 0 || status === 409 || status === 423 || status === 460 || (status >= 500 && status !== 507);
      },
      onUploadUrlAvailable: () => this.changed(this),
      onProgress: (sent) => {
        if (this.state !== "sending") return;
        this.sent = sent;
        this.rate.add(sent);
        this.changed(this);
      },
      onSuccess: () => this.become("done"),
      onError: (error) => {
        this.stop(this.denied ? explainStatus(this.denied) : explain(error));
      },
    };
  }

  private become(state: State): void {
    this.state = state;
    if (state === "done") this.sent = this.parcel.size;
    this.changed(this);
  }

  get url(): string | null {
    return this.upload?.url ?? null;
  }

  /** The last part of the upload's address, which is also that of its page. */
  get id(): string | null {
    return this.url?.replace(/\/+$/, "").split("/").pop() ?? null;
  }

  async start(): Promise<void> {
    this.refusal = null;
    this.denied = 0;
    this.rate.reset();
    const words = this.parcel.fault(this.place.limits);
    if (words) {
      this.stop({ words, resumable: false, stopsAll: false });
      return;
    }
    this.become(this.upload ? "sending" : "preparing");
    const upload = this.upload ?? (await this.prepare());
    // Paused or cancelled meanwhile, or not to be read.
    if (!upload || (this.state !== "preparing" && this.state !== "sending")) return;
    this.upload = upload;
    this.become("sending");
    upload.start();
  }

  /** The upload, which goes on where an earlier visit left it; null where it came to nothing. */
  private async prepare(): Promise<Upload | null> {
    this.reading?.abort();
    const reading = new AbortController();
    this.reading = reading;
    try {
      const { body, mark } = await this.parcel.ready((prepared) => {
        this.prepared = prepared;
        this.changed(this);
      }, reading.signal);
      const upload = new Upload(body, this.options(mark));
      const previous = (await upload.findPreviousUploads()).sort((a, b) =>
        b.creationTime.localeCompare(a.creationTime),
      )[0];
      if (previous) upload.resumeFromPreviousUpload(previous);
      return reading.signal.aborted ? null : upload;
    } catch (error) {
      if (reading.signal.aborted) return null;
      if (!(error instanceof Unreadable)) throw error;
      this.stop({ words: `${error.message} Nothing was sent.`, resumable: false, stopsAll: false });
      return null;
    }
  }

  private stop(refusal: Refusal): void {
    this.refusal = refusal;
    this.become("stopped");
  }

  async pause(): Promise<void> {
    this.become("paused");
    this.reading?.abort();
    await this.upload?.abort();
  }

  /** Ends it for good: the server forgets what it had, and so does this browser. */
  async cancel(): Promise<void> {
    this.become("cancelled");
    // A finished answer of the server is not waited for: it forgets unfinished uploads by itself in time.
    this.reading?.abort();
    await this.upload?.abort(true).catch(() => undefined);
  }

  wait(): void {
    this.refusal = null;
    this.become("waiting");
  }
}
