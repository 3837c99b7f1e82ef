/* All uploads of this visit: which are sent now, which wait, and the whole in one sentence. */
import { announce } from "../site/announce";
import { duration, fileSize, number, plural } from "../site/words";
import { Job, type Place } from "./job";
import type { Parcel } from "./parcel";
import { Row } from "./row";

/** Several small files at once hide the waiting between them; more would only share one line. */
const together = 3;

function isUnderWay(job: Job): boolean {
  return job.state === "preparing" || job.state === "sending";
}

export class Queue {
  private readonly jobs: Job[] = [];
  private readonly rows = new Map<Job, Row>();
  private readonly drawn = new Set<Job>();
  private drawing = false;

  constructor(
    private readonly list: HTMLElement,
    private readonly summary: HTMLElement,
    private readonly pagePattern: string,
    private readonly changed: () => void,
  ) {}

  add(parcels: Parcel[], place: Place): void {
    for (const parcel of parcels) {
      this.replaceFailed(parcel, place);
      const same = this.jobs.find(
        (job) => job.parcel.key === parcel.key && job.place.cohort === place.cohort && job.state !== "cancelled",
      );
      if (same) {
        if (same.state === "stopped" || same.state === "paused") same.wait();
        continue;
      }
      const job: Job = new Job(parcel, place, (changed) => this.onChange(changed));
      const row = new Row(job, this.pagePattern, {
        pause: () => void job.pause(),
        resume: () => job.wait(),
        cancel: () => void job.cancel(),
      });
      this.jobs.push(job);
      this.rows.set(job, row);
      this.list.append(row.element);
    }
    this.list.hidden = this.jobs.length === 0;
    this.next();
    this.scheduleDraw();
  }

  /** What stopped for good makes way for another try: of the same files, or of those that were changed meanwhile. */
  private replaceFailed(parcel: Parcel, place: Place): void {
    const failed = this.jobs.filter(
      (job) =>
        job.state === "stopped" &&
        !job.refusal?.resumable &&
        job.parcel.name === parcel.name &&
        job.place.cohort === place.cohort,
    );
    for (const job of failed) {
      this.jobs.splice(this.jobs.indexOf(job), 1);
      this.rows.get(job)?.element.remove();
      this.rows.delete(job);
      void job.cancel();
    }
  }

  get isSending(): boolean {
    return this.jobs.some((job) => isUnderWay(job) || job.state === "waiting");
  }

  holds(url: string): boolean {
    return this.jobs.some((job) => job.url === url && job.state !== "cancelled");
  }

  pauseAll(): void {
    for (const job of this.jobs) if (isUnderWay(job) || job.state === "waiting") void job.pause();
  }

  resumeAll(): void {
    for (const job of this.jobs) {
      if (job.state === "paused" || (job.state === "stopped" && job.refusal?.resumable)) job.wait();
    }
  }

  private onChange(job: Job): void {
    this.drawn.add(job);
    this.scheduleDraw();
    if (isUnderWay(job)) return;
    if (job.state === "done") {
      announce(`${job.parcel.name} is uploaded.`);
    }
    if (job.state === "stopped" && job.refusal) {
      announce(`${job.parcel.name} stopped. ${job.refusal.words}`);
      if (job.refusal.stopsAll) {
        for (const other of this.jobs) if (other.state === "waiting") void other.pause();
      }
    }
    if (job.state === "paused") announce(`${job.parcel.name} is paused.`);
    // After the caller is through: starting the next one changes states again.
    queueMicrotask(() => this.next());
  }

  private next(): void {
    let sending = this.jobs.filter(isUnderWay).length;
    for (const job of this.jobs) {
      if (sending >= together) return;
      if (job.state !== "waiting") continue;
      sending += 1;
      void job.start();
    }
  }

  /** Progress comes by the dozen a second; the page is drawn four times a second. */
  private scheduleDraw(): void {
    if (this.drawing) return;
    this.drawing = true;
    setTimeout(() => {
      this.drawing = false;
      for (const job of this.drawn) this.rows.get(job)?.draw();
      this.drawn.clear();
      this.drawSummary();
      this.changed();
    }, 250);
  }

  private drawSummary(): void {
    const live = this.jobs.filter((job) => job.state !== "cancelled");
    this.summary.hidden = live.length === 0;
    if (live.length === 0) return;
    const files = live.reduce((sum, job) => sum + job.parcel.files, 0);
    const done = live.reduce((sum, job) => sum + (job.state === "done" ? job.parcel.files : 0), 0);
    const stopped = live.filter((job) => job.state === "stopped").length;
    const sent = live.reduce((sum, job) => sum + job.sent, 0);
    const total = live.reduce((sum, job) => sum + job.parcel.size, 0);
    const rate = live.reduce((sum, job) => sum + (job.state === "sending" ? job.rate.perSecond() : 0), 0);
    const waiting = live
      .filter((job) => isUnderWay(job) || job.state === "waiting")
      .reduce((sum, job) => sum + job.parcel.size - job.sent, 0);
    const parts = [`${number(done)} of ${plural(files, "file", "files")} uploaded`];
    parts.push(`${fileSize(sent)} of ${fileSize(total)}`);
    if (rate > 0) parts.push(`${fileSize(rate)} a second`, `${duration(waiting / rate)} left`);
    if (stopped) parts.push(`${stopped} stopped`);
    const words = this.summary.querySelector<HTMLElement>('[data-part="words"]');
    const bar = this.summary.querySelector<HTMLProgressElement>("progress");
    if (words) words.textContent = parts.join(" · ");
    if (bar) {
      bar.max = Math.max(1, total);
      bar.value = sent;
    }
    this.summary.querySelector<HTMLElement>("[data-pause-all]")?.toggleAttribute("hidden", !this.isSending);
    this.summary
      .querySelector<HTMLElement>("[data-resume-all]")
      ?.toggleAttribute(
        "hidden",
        !live.some((job) => job.state === "paused" || (job.state === "stopped" && job.refusal?.resumable)),
      );
  }
}
