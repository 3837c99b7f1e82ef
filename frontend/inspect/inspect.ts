/* The dry run's form: drop files on it, see what is chosen, see how much is sent. Without this it is a plain form. */
import { droppedFiles } from "../upload/chosen";
import { fileSize } from "../site/words";

const LISTED = 8;

function part<T extends HTMLElement>(form: HTMLElement, name: string): T {
  const found = form.querySelector<T>(`[data-${name}]`);
  if (found === null) throw new Error(`The page has no ${name}.`);
  return found;
}

function begin(form: HTMLFormElement): void {
  const input = form.querySelector<HTMLInputElement>("input[type=file]");
  if (input === null) return;
  const zone = part(form, "drop");
  part(form, "drop-words").hidden = false;
  part(form, "plain-words").hidden = true;
  input.addEventListener("change", () => list(form, input));
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.dataset.over = "";
  });
  zone.addEventListener("dragleave", () => delete zone.dataset.over);
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    delete zone.dataset.over;
    if (event.dataTransfer) void take(form, input, event.dataTransfer);
  });
  form.addEventListener("submit", (event) => {
    if (!input.files?.length) return;
    event.preventDefault();
    send(form);
  });
  // A quick hand has chosen before this script came.
  if (input.files?.length) list(form, input);
}

async function take(form: HTMLFormElement, input: HTMLInputElement, dropped: DataTransfer): Promise<void> {
  const files = new DataTransfer();
  // What was chosen before stays, so that images and their spreadsheet may come from two folders.
  const fresh = (await droppedFiles(dropped)).map(({ file }) => file);
  for (const file of [...(input.files ?? []), ...fresh]) files.items.add(file);
  input.files = files.files;
  list(form, input);
}

function list(form: HTMLFormElement, input: HTMLInputElement): void {
  const files = [...(input.files ?? [])];
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const most = Number(form.dataset.most);
  const mostFiles = Number(form.dataset.mostFiles);
  const lines = files.slice(0, LISTED).map((file) => `${file.name} · ${fileSize(file.size)}`);
  if (files.length > LISTED) lines.push(`and ${(files.length - LISTED).toLocaleString("en-GB")} more`);
  if (files.length > 1) lines.push(`${files.length.toLocaleString("en-GB")} files, ${fileSize(size)} in all`);
  if (size > most) lines.push(`That is more than ${fileSize(most)}: try a part of them.`);
  if (files.length > mostFiles) lines.push(`More than ${mostFiles} files at once: put them in a ZIP.`);
  const shown = part(form, "chosen");
  shown.hidden = files.length === 0;
  shown.replaceChildren(
    ...lines.map((line) => {
      const item = document.createElement("li");
      item.className = "breakable";
      item.textContent = line;
      return item;
    }),
  );
  part<HTMLButtonElement>(form, "send").disabled = size > most || files.length > mostFiles;
}

function send(form: HTMLFormElement): void {
  const button = part<HTMLButtonElement>(form, "send");
  const bar = part<HTMLProgressElement>(form, "bar");
  const words = part(form, "sent");
  const request = new XMLHttpRequest();
  button.disabled = true;
  part(form, "sending").hidden = false;
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    bar.max = event.total;
    bar.value = event.loaded;
    words.textContent = `Sent ${fileSize(event.loaded)} of ${fileSize(event.total)}`;
  });
  request.addEventListener("load", () => {
    if (new URL(request.responseURL).pathname !== new URL(form.action).pathname) {
      location.assign(request.responseURL);
      return;
    }
    show(request.responseText);
  });
  request.addEventListener("error", () => {
    words.textContent = "The connection was lost; nothing was stored. Try again.";
    button.disabled = false;
  });
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.send(new FormData(form));
}

/** A form that was refused comes back as a page: its main part takes the place of ours. */
function show(html: string): void {
  const main = document.querySelector("main");
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("main");
  if (main === null || fresh === null) {
    location.reload();
    return;
  }
  main.replaceChildren(...fresh.childNodes);
  const form = main.querySelector<HTMLFormElement>("form[data-inspect]");
  if (form !== null) begin(form);
  main.querySelector<HTMLElement>("[data-error-summary]")?.focus();
}

const form = document.querySelector<HTMLFormElement>("form[data-inspect]");
if (form !== null) begin(form);
