/*
 * The upload page. Its root element carries the contract:
 *   data-upload  data-endpoint="/uploads/tus/"  data-page="/uploads/{id}/"  data-person="internal key of the person"
 *   data-most="bytes of one upload"  data-most-files="files in one ZIP"  data-together: what is chosen together stays so
 * and holds [data-cohort] (select or hidden field), [data-drop], [data-input], [data-folder-input], [data-left-out],
 * [data-rows], [data-summary], [data-unfinished], <template id="upload-row">, <template id="unfinished-row">.
 */
import { announce } from "../site/announce";
import { fileSize, plural, relativeTime } from "../site/words";
import { Upload } from "tus-js-client";
import { arrange } from "./arrange";
import { type Chosen, chosenFiles, droppedFiles } from "./chosen";
import type { Place } from "./job";
import { Queue } from "./queue";
import { findUnfinished, forget, type Unfinished } from "./unfinished";

function csrfToken(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}

function need<T extends Element>(root: ParentNode, selector: string): T {
  const found = root.querySelector<T>(selector);
  if (!found) throw new Error(`the upload page lacks ${selector}`);
  return found;
}

class UploadPage {
  private readonly endpoint: string;
  private readonly person: string;
  private readonly cohort: HTMLSelectElement | HTMLInputElement;
  private readonly drop: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly folderInput: HTMLInputElement;
  private readonly leftOut: HTMLElement;
  private readonly unfinished: HTMLElement;
  private readonly queue: Queue;

  constructor(private readonly root: HTMLElement) {
    this.endpoint = new URL(root.dataset["endpoint"] ?? "/uploads/tus/", location.href).href;
    this.person = root.dataset["person"] ?? "";
    this.cohort = need(root, "[data-cohort]");
    this.drop = need(root, "[data-drop]");
    this.input = need(root, "[data-input]");
    this.folderInput = need(root, "[data-folder-input]");
    this.leftOut = need(root, "[data-left-out]");
    this.unfinished = need(root, "[data-unfinished]");
    this.queue = new Queue(
      need(root, "[data-rows]"),
      need(root, "[data-summary]"),
      root.dataset["page"] ?? "/uploads/{id}/",
      () => this.dropTaken(),
    );
  }

  start(): void {
    const inputs = [this.input, this.folderInput];
    for (const input of inputs) input.addEventListener("change", () => this.takeFrom(input));
    // Some phones choose files only.
    if (!("webkitdirectory" in this.folderInput)) need<HTMLElement>(this.root, "[data-folder]").hidden = true;
    this.acceptDrops();
    this.cohort.addEventListener("change", () => this.openOrClose());
    need(this.root, "[data-pause-all]").addEventListener("click", () => this.queue.pauseAll());
    need(this.root, "[data-resume-all]").addEventListener("click", () => this.queue.resumeAll());
    addEventListener("beforeunload", (event) => {
      if (this.queue.isSending) event.preventDefault();
    });
    this.openOrClose();
    // A quick hand has chosen before this script came.
    for (const input of inputs) this.takeFrom(input);
    void this.showUnfinished();
  }

  private takeFrom(input: HTMLInputElement): void {
    if (!input.files?.length) return;
    this.take(chosenFiles(input.files));
    input.value = ""; // so that the same file may be chosen again
  }

  private openOrClose(): void {
    const open = this.cohort.value !== "";
    this.drop.toggleAttribute("data-closed", !open);
    this.input.disabled = !open;
    this.folderInput.disabled = !open;
    for (const hint of this.root.querySelectorAll<HTMLElement>("[data-choose-first]")) hint.hidden = open;
  }

  private acceptDrops(): void {
    const over = (on: boolean): void => void this.drop.toggleAttribute("data-over", on && !this.input.disabled);
    // The whole window takes the drop: a near miss must not make the browser open the file instead.
    addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) over(false);
    });
    addEventListener("drop", async (event) => {
      event.preventDefault();
      over(false);
      if (!event.dataTransfer) return;
      try {
        this.take(await droppedFiles(event.dataTransfer));
      } catch {
        this.tell("What was dropped cannot be read. Choose it by the button, or check that you may read it.");
      }
    });
  }

  private take(chosen: Chosen[]): void {
    this.tell("");
    if (chosen.length === 0) return;
    if (this.cohort.value === "") {
      announce("Choose a cohort first.");
      this.cohort.focus();
      return;
    }
    const place: Place = {
      endpoint: this.endpoint,
      cohort: this.cohort.value,
      csrfToken: csrfToken(),
      person: this.person,
      limits: {
        size: Number(this.root.dataset["most"] ?? Infinity),
        files: Number(this.root.dataset["mostFiles"] ?? Infinity),
      },
    };
    const { parcels, junk, empty } = arrange(chosen, "together" in this.root.dataset);
    const said = [];
    if (empty) said.push(`${plural(empty, "file is", "files are")} empty and left out.`);
    if (junk) said.push(`${plural(junk, "hidden or system file is", "hidden or system files are")} left out.`);
    this.tell(said.join(" "));
    this.queue.add(parcels, place);
  }

  /** Of what was chosen and is not in the list; to the eye and to the ear. */
  private tell(words: string): void {
    this.leftOut.textContent = words;
    this.leftOut.hidden = words === "";
    if (words) announce(words);
  }

  /** What stands in the list of this visit is no left-over. */
  private dropTaken(): void {
    const list = need<HTMLElement>(this.unfinished, "[data-list]");
    for (const row of list.querySelectorAll<HTMLElement>("[data-url]")) {
      if (this.queue.holds(row.dataset["url"] ?? "")) row.remove();
    }
    if (list.childElementCount === 0) this.unfinished.hidden = true;
  }

  private async showUnfinished(): Promise<void> {
    const found = await findUnfinished(this.person);
    const list = need<HTMLElement>(this.unfinished, "[data-list]");
    list.replaceChildren(...found.map((upload) => this.unfinishedRow(upload)));
    this.unfinished.hidden = found.length === 0;
    this.dropTaken();
  }

  private unfinishedRow(upload: Unfinished): HTMLElement {
    const template = need<HTMLTemplateElement>(document, "#unfinished-row");
    const row = (template.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
    row.dataset["url"] = upload.url;
    need(row, '[data-part="name"]').textContent = upload.name;
    need(row, '[data-part="words"]').textContent =
      `${fileSize(upload.offset)} of ${fileSize(upload.size)} are kept · begun ${relativeTime(upload.begun, new Date())}${upload.files > 1 ? ` · ${plural(upload.files, "file", "files")}` : ""}`;
    const choose = need<HTMLButtonElement>(row, '[data-part="choose"]');
    const what = upload.folder ? "folder" : plural(upload.files, "file", "files");
    choose.textContent = `Choose the ${upload.files === 1 ? "file" : what}`;
    choose.setAttribute("aria-label", `${choose.textContent} again: ${upload.name}`);
    choose.addEventListener("click", () => {
      // The same cohort as then, or it would be taken for another upload.
      this.cohort.value = upload.cohort;
      this.openOrClose();
      (upload.folder ? this.folderInput : this.input).click();
    });
    const discard = need<HTMLButtonElement>(row, '[data-part="discard"]');
    discard.setAttribute("aria-label", `Discard ${upload.name}`);
    discard.addEventListener("click", async () => {
      await Upload.terminate(upload.url, {
        onBeforeRequest: (request) => request.setHeader("X-CSRFToken", csrfToken()),
      }).catch(() => undefined);
      await forget(upload.key);
      announce(`What was kept of ${upload.name} is discarded.`);
      await this.showUnfinished();
    });
    return row;
  }
}

const root = document.querySelector<HTMLElement>("[data-upload]");
if (root) new UploadPage(root).start();
