/* One file on its way: a tus upload and the state that the page shows. */
import { Upload, type UploadOptions } from "tus-js-client";
import { checksumStack } from "./checksums";
import { Rate } from "./rate";
import { explain, explainStatus, type Refusal } from "./refusals";

export type State = "waiting" | "sending" | "paused" | "done" | "stopped" | "cancelled";

export interface Place {
  endpoint: string;
  cohort: string;
  csrfToken: string;
  /** Whose uploads these are: another person on the same browser must not be offered them. */
  person: string;
}

const chunkSize = 8 * 1024 * 1024;

export function fingerprintPrefix(person: string): string {
  return `medtheca/${person}/`;
}

/** What tells that a file chosen later is the same one. */
function fingerprint(file: File, place: Place): string {
  return [fingerprintPrefix(place.person) + place.cohort, file.name, file.size, file.lastModified].join("/");
}

export class Job {
  state: State = "waiting";
  sent = 0;
  refusal: Refusal | null = null;
  readonly rate = new Rate();
  private upload: Upload;
  private prepared = false;
  /** 401 or 403 of a question about an upload begun earlier. */
  private denied = 0;

  constructor(
    readonly file: File,
    readonly place: Place,
    private readonly changed: (job: Job) => void,
  ) {
    this.upload = new Upload(file, this.options());
  }

  private options(): UploadOptions {
    const { file, place } = this;
    return {
      endpoint: place.endpoint,
      chunkSize,
      retryDelays: [0, 1000, 3000, 5000, 10_000, 20_000, 30_000],
      metadata: {
        filename: file.name,
        filetype: file.type || "application/octet-stream",
        cohort: place.cohort,
      },
      fingerprint: async () => fingerprint(file, place),
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
        if (this.denied) return false;
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
        this.refusal = this.denied ? explainStatus(this.denied) : explain(error);
        this.become("stopped");
      },
    };
  }

  private become(state: State): void {
    this.state = state;
    if (state === "done") this.sent = this.file.size;
    this.changed(this);
  }

  get url(): string | null {
    return this.upload.url;
  }

  /** The last part of the upload's address, which is also that of its page. */
  get id(): string | null {
    return this.upload.url?.replace(/\/+$/, "").split("/").pop() ?? null;
  }

  async start(): Promise<void> {
    this.refusal = null;
    this.denied = 0;
    this.rate.reset();
    this.become("sending");
    if (!this.prepared) {
      this.prepared = true;
      const previous = (await this.upload.findPreviousUploads()).sort((a, b) =>
        b.creationTime.localeCompare(a.creationTime),
      )[0];
      if (previous) this.upload.resumeFromPreviousUpload(previous);
    }
    if (this.state === "sending") this.upload.start();
  }

  async pause(): Promise<void> {
    this.become("paused");
    await this.upload.abort();
  }

  /** Ends it for good: the server forgets what it had, and so does this browser. */
  async cancel(): Promise<void> {
    this.become("cancelled");
    // A finished answer of the server is not waited for: it forgets unfinished uploads by itself in time.
    await this.upload.abort(true).catch(() => undefined);
  }

  wait(): void {
    this.refusal = null;
    this.become("waiting");
  }
}
