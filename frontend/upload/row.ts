/* Draws one job into a copy of the page's `<template id="upload-row">`. */
import { duration, fileSize, number, plural } from "../site/words";
import type { Job, State } from "./job";

const icons: Record<State, string> = {
  waiting: "clock",
  preparing: "loader",
  sending: "cloud-upload",
  paused: "circle-pause",
  done: "circle-check",
  stopped: "circle-alert",
  cancelled: "circle-slash",
};

function part<T extends Element>(row: Element, name: string): T {
  const found = row.querySelector<T>(`[data-part="${name}"]`);
  if (!found) throw new Error(`the upload row lacks data-part="${name}"`);
  return found;
}

function setIcon(use: SVGUseElement, name: string): void {
  use.setAttribute("href", (use.getAttribute("href") ?? "").replace(/#.*$/, `#${name}`));
}

/** "212 MB of 1.2 GB · 14 MB a second · 1 minute left". */
function progressWords(job: Job): string {
  const amount = `${fileSize(job.sent)} of ${fileSize(job.parcel.size)}`;
  const rate = job.rate.perSecond();
  if (rate <= 0) return amount;
  const left = duration((job.parcel.size - job.sent) / rate);
  return `${amount} · ${fileSize(rate)} a second · ${left} left`;
}

/** "Preparing 43 of 100 files · 21 of 52 MB read": nothing is sent yet, and an impatient person should know. */
function preparingWords(job: Job): string {
  const { prepared, parcel } = job;
  const now = number(Math.min(prepared.files + 1, parcel.files));
  return `Preparing ${now} of ${plural(parcel.files, "file", "files")} · ${fileSize(prepared.bytes)} of ${fileSize(parcel.bytes)} read`;
}

function contents(job: Job): string {
  const size = fileSize(job.parcel.size);
  return job.parcel.files > 1 ? `${plural(job.parcel.files, "file", "files")} in one upload, ${size}` : size;
}

function stateWords(job: Job): string {
  switch (job.state) {
    case "waiting":
      return `Waiting · ${contents(job)}`;
    case "preparing":
      return preparingWords(job);
    case "sending":
      return progressWords(job);
    case "paused":
      return `Paused at ${fileSize(job.sent)} of ${fileSize(job.parcel.size)}`;
    case "done":
      return `Uploaded · ${contents(job)}. The archive now reads ${job.parcel.files > 1 ? "them" : "it"}.`;
    case "stopped":
      return job.refusal?.words ?? "Stopped";
    case "cancelled":
      return "Cancelled. Nothing of it was kept.";
  }
}

export class Row {
  readonly element: HTMLElement;

  constructor(
    private readonly job: Job,
    private readonly pagePattern: string,
    actions: { pause: () => void; resume: () => void; cancel: () => void },
  ) {
    const template = document.getElementById("upload-row") as HTMLTemplateElement;
    this.element = (template.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
    part(this.element, "name").textContent = job.parcel.name;
    for (const [name, act] of Object.entries(actions)) {
      const button = part<HTMLButtonElement>(this.element, name);
      button.setAttribute("aria-label", `${button.textContent?.trim()} ${job.parcel.name}`);
      button.addEventListener("click", act);
    }
    this.draw();
  }

  draw(): void {
    const { job, element } = this;
    element.dataset["state"] = job.state;
    setIcon(part<SVGUseElement>(element, "icon"), icons[job.state]);
    part(element, "words").textContent = stateWords(job);
    const bar = part<HTMLProgressElement>(element, "progress");
    const preparing = job.state === "preparing";
    bar.max = Math.max(1, preparing ? job.parcel.bytes : job.parcel.size);
    bar.value = preparing ? job.prepared.bytes : job.sent;
    bar.hidden = !preparing && job.state !== "sending" && job.state !== "paused";
    bar.setAttribute("aria-label", `${job.parcel.name}, ${preparing ? "read" : "sent"}`);
    part<HTMLElement>(element, "pause").hidden = !preparing && job.state !== "sending" && job.state !== "waiting";
    part<HTMLElement>(element, "resume").hidden =
      job.state !== "paused" && !(job.state === "stopped" && job.refusal?.resumable);
    part<HTMLElement>(element, "cancel").hidden = job.state === "done" || job.state === "cancelled";
    const link = part<HTMLAnchorElement>(element, "link");
    link.hidden = job.state !== "done" || !job.id;
    if (job.id) link.href = this.pagePattern.replace("{id}", encodeURIComponent(job.id));
  }
}
