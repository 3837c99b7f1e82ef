/* Draws one job into a copy of the page's `<template id="upload-row">`. */
import { duration, fileSize } from "../site/words";
import type { Job, State } from "./job";

const icons: Record<State, string> = {
  waiting: "clock",
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
  const amount = `${fileSize(job.sent)} of ${fileSize(job.file.size)}`;
  const rate = job.rate.perSecond();
  if (rate <= 0) return amount;
  const left = duration((job.file.size - job.sent) / rate);
  return `${amount} · ${fileSize(rate)} a second · ${left} left`;
}

function stateWords(job: Job): string {
  switch (job.state) {
    case "waiting":
      return `Waiting · ${fileSize(job.file.size)}`;
    case "sending":
      return progressWords(job);
    case "paused":
      return `Paused at ${fileSize(job.sent)} of ${fileSize(job.file.size)}`;
    case "done":
      return `Uploaded · ${fileSize(job.file.size)}. The archive now reads it.`;
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
    part(this.element, "name").textContent = job.file.name;
    for (const [name, act] of Object.entries(actions)) {
      const button = part<HTMLButtonElement>(this.element, name);
      button.setAttribute("aria-label", `${button.textContent?.trim()} ${job.file.name}`);
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
    bar.max = Math.max(1, job.file.size);
    bar.value = job.sent;
    bar.hidden = job.state !== "sending" && job.state !== "paused";
    bar.setAttribute("aria-label", `${job.file.name}, sent`);
    part<HTMLElement>(element, "pause").hidden = job.state !== "sending" && job.state !== "waiting";
    part<HTMLElement>(element, "resume").hidden =
      job.state !== "paused" && !(job.state === "stopped" && job.refusal?.resumable);
    part<HTMLElement>(element, "cancel").hidden = job.state === "done" || job.state === "cancelled";
    const link = part<HTMLAnchorElement>(element, "link");
    link.hidden = job.state !== "done" || !job.id;
    if (job.id) link.href = this.pagePattern.replace("{id}", encodeURIComponent(job.id));
  }
}
