/*
 * Decisions on their way to the server: one at a time, in order, tried again until they are there.
 * What is not there yet stands in sessionStorage, so that a reload or a lost connection loses nothing.
 * The server takes the same decision twice for one, so sending again does no harm.
 */

export interface Decision {
  kind: "decide";
  key: string;
  accessions: string[];
  act: string;
  reason: string;
}
interface Undo {
  kind: "undo";
  key: string;
  of: string;
  reviews: number[];
}
export type Entry = Decision | Undo;

export interface Status {
  waiting: number;
  saved: number;
  /** Why it does not go on at present; empty while it does. */
  trouble: string;
}
export interface Events {
  changed(status: Status): void;
  saved(decision: Decision): void;
  /** The server will not have it: in words. */
  refused(entry: Entry, words: string): void;
}

const longestWait = 30_000;

export class Outbox {
  private entries: Entry[] = [];
  private reviews = new Map<string, number[]>();
  private inFlight: Entry | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private saved = 0;
  private trouble = "";

  constructor(
    private readonly storageKey: string,
    private readonly urls: { decide: string; undo: string },
    private readonly token: string,
    private readonly events: Events,
  ) {
    this.entries = this.restore();
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.retryNow();
    });
    addEventListener("beforeunload", (event) => {
      if (this.entries.length) event.preventDefault();
    });
  }

  /** What waits from before the page was loaded. */
  get pending(): readonly Entry[] {
    return this.entries;
  }

  start(): void {
    this.tell();
    void this.pump();
  }

  add(entry: Decision): void {
    this.entries.push(entry);
    this.changed();
  }

  /** Take a decision back: before it was sent it was never made, afterwards the server is told. */
  takeBack(decision: Decision): void {
    const at = this.entries.findIndex((entry) => entry.key === decision.key);
    if (at >= 0 && this.entries[at] !== this.inFlight) {
      this.entries.splice(at, 1);
    } else {
      const reviews = this.reviews.get(decision.key) ?? [];
      this.entries.push({ kind: "undo", key: `${decision.key}-undo`, of: decision.key, reviews });
    }
    this.changed();
  }

  private changed(): void {
    this.store();
    this.tell();
    void this.pump();
  }

  private async pump(): Promise<void> {
    if (this.inFlight || this.timer !== undefined) return;
    const entry = this.entries[0];
    if (!entry) return;
    this.inFlight = entry;
    const again = await this.send(entry);
    this.inFlight = null;
    if (again) {
      this.waitAndRetry();
    } else {
      this.failures = 0;
      this.trouble = "";
      this.entries.shift();
      this.store();
    }
    this.tell();
    void this.pump();
  }

  /** Whether to try again. */
  private async send(entry: Entry): Promise<boolean> {
    const body = new URLSearchParams();
    if (entry.kind === "undo") {
      const reviews = this.reviews.get(entry.of) ?? entry.reviews;
      if (!reviews.length) return false;
      for (const review of reviews) body.append("reviews", String(review));
    } else {
      body.set("act", entry.act);
      body.set("reason", entry.reason);
      for (const accession of entry.accessions) body.append("accessions", accession);
    }
    let answer: Response;
    try {
      answer = await fetch(this.urls[entry.kind], {
        method: "POST",
        body,
        headers: { Accept: "application/json", "X-CSRFToken": this.token },
        redirect: "manual",
        // What is on its way arrives even where the page is closed meanwhile.
        keepalive: true,
      });
    } catch {
      this.trouble = navigator.onLine ? "The server does not answer." : "There is no connection.";
      return true;
    }
    return this.read(entry, answer);
  }

  private async read(entry: Entry, answer: Response): Promise<boolean> {
    if (answer.type === "opaqueredirect" || answer.status === 401) {
      this.trouble = "Your log-in has ended. Log in again in another tab.";
      return true;
    }
    if (answer.status >= 500 || answer.status === 429 || answer.status === 408) {
      this.trouble = "The server cannot save at present.";
      return true;
    }
    const content = answer.headers.get("Content-Type") ?? "";
    const told = content.includes("json") ? await answer.json().catch(() => null) : null;
    if (!answer.ok || told === null) {
      // A page in place of an answer: the proof that the form is ours has run out with the log-in.
      if (answer.status === 403 && told === null) {
        this.trouble = "Your log-in has changed. Load the page again; what is not saved is kept.";
        return true;
      }
      this.events.refused(entry, String(told?.words ?? `The server refused it (${answer.status}).`));
      return false;
    }
    if (entry.kind === "decide") {
      this.reviews.set(entry.key, Object.values(told.reviews as Record<string, number>));
      this.saved += entry.accessions.length;
      this.events.saved(entry);
    }
    return false;
  }

  private waitAndRetry(): void {
    this.failures += 1;
    const wait = Math.min(longestWait, 1000 * 2 ** (this.failures - 1));
    this.timer = setTimeout(() => this.retryNow(), wait);
  }

  private retryNow(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    void this.pump();
  }

  private tell(): void {
    const waiting = this.entries.reduce((sum, entry) => sum + (entry.kind === "decide" ? entry.accessions.length : 1), 0);
    this.events.changed({ waiting, saved: this.saved, trouble: this.trouble });
  }

  private store(): void {
    try {
      const entries = this.entries.map((entry) =>
        entry.kind === "undo" ? { ...entry, reviews: this.reviews.get(entry.of) ?? entry.reviews } : entry,
      );
      if (entries.length) sessionStorage.setItem(this.storageKey, JSON.stringify(entries));
      else sessionStorage.removeItem(this.storageKey);
    } catch {
      // Without storage, leaving the page asks first.
    }
  }

  private restore(): Entry[] {
    try {
      const entries: unknown = JSON.parse(sessionStorage.getItem(this.storageKey) ?? "[]");
      return Array.isArray(entries) ? (entries as Entry[]) : [];
    } catch {
      return [];
    }
  }
}
