/*
 * The form that puts files into one socket of an item: with scripts the bytes go to the byte plane in parts, each tried
 * again where it is cut off, and the form then names the uploads. Without, the form itself is sent.
 */
import { plural } from "../site/words";

const partSize = 8 * 1024 * 1024;
const pauses = [500, 1000, 3000, 5000, 10_000];

interface Begun {
  pk: string;
  s3_upload_id: string;
  presigned_urls?: Record<string, string>;
}

class Refused extends Error {}

const pause = (time: number): Promise<void> => new Promise((done) => setTimeout(done, time));

async function said(answer: Response): Promise<string> {
  try {
    const body = (await answer.json()) as Record<string, unknown>;
    const words = [body["detail"], body["remedy"]].filter(Boolean).join(" ");
    return words || Object.values(body).flat().join(" ");
  } catch {
    return "";
  }
}

class Sender {
  sent = 0;

  constructor(
    private readonly endpoint: string,
    private readonly token: string,
    private readonly tell: (sent: number) => void,
  ) {}

  async send(file: File): Promise<string> {
    const begun = await this.ask("POST", "", { filename: file.name });
    const place = `${begun.pk}/${encodeURIComponent(begun.s3_upload_id)}`;
    const parts: { ETag: string; PartNumber: number }[] = [];
    for (let number = 1; (number - 1) * partSize < file.size; number++) {
      const bytes = file.slice((number - 1) * partSize, number * partSize);
      parts.push({ ETag: await this.put(place, number, bytes), PartNumber: number });
    }
    await this.ask("PATCH", `${place}/complete-multipart-upload/`, { parts });
    return begun.pk;
  }

  private async put(place: string, number: number, bytes: Blob): Promise<string> {
    const before = this.sent;
    for (let attempt = 0; ; attempt++) {
      const given = await this.ask("PATCH", `${place}/generate-presigned-urls/`, { part_numbers: [number] });
      // Of this very origin, by whatever name the archive calls itself.
      const address = new URL(given.presigned_urls?.[String(number)] ?? "", location.href);
      const { status, etag, words } = await this.transfer(address.pathname + address.search, bytes);
      if (etag) return etag;
      this.sent = before;
      const last = attempt >= pauses.length;
      if (last || (status >= 400 && status < 500 && status !== 408 && status !== 429)) throw new Refused(words);
      await pause(pauses[attempt] ?? 0);
    }
  }

  private transfer(address: string, bytes: Blob): Promise<{ status: number; etag: string; words: string }> {
    const before = this.sent;
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open("PUT", address);
      request.upload.addEventListener("progress", (event) => {
        this.sent = before + Math.min(event.loaded, bytes.size);
        this.tell(this.sent);
      });
      request.addEventListener("loadend", () => {
        const good = request.status >= 200 && request.status < 300;
        const etag = good ? (request.getResponseHeader("ETag") ?? "") : "";
        if (etag) this.sent = before + bytes.size;
        let words = "";
        try {
          const body = JSON.parse(request.responseText || "{}") as { message?: string; detail?: string; remedy?: string };
          words = [body.message ?? body.detail, body.remedy].filter(Boolean).join(" ");
        } catch {
          // No words: the connection, or something between.
        }
        done({ status: request.status, etag, words });
      });
      request.send(bytes);
    });
  }

  private async ask(method: string, rest: string, body: unknown): Promise<Begun> {
    for (let attempt = 0; ; attempt++) {
      let answer: Response | undefined;
      try {
        answer = await fetch(this.endpoint + rest, {
          method,
          headers: { "Content-Type": "application/json", "X-CSRFToken": this.token },
          body: JSON.stringify(body),
        });
      } catch {
        // The connection: tried again below.
      }
      if (answer?.ok) return (await answer.json()) as Begun;
      if (answer && answer.status < 500 && answer.status !== 429) throw new Refused(await said(answer));
      if (attempt >= pauses.length) throw new Refused(answer ? await said(answer) : "");
      await pause(pauses[attempt] ?? 0);
    }
  }
}

function start(place: HTMLElement): void {
  const form = place.closest("form");
  const input = form?.querySelector<HTMLInputElement>("input[type=file]");
  const socket = form?.querySelector<HTMLSelectElement>("[name=socket]");
  const token = form?.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";
  const words = place.querySelector<HTMLElement>("[data-words]");
  const progress = place.querySelector<HTMLProgressElement>("[data-progress]");
  const button = form?.querySelector<HTMLButtonElement>("button.btn-primary");
  if (!form || !input || !socket || !words || !progress || !button) return;

  async function sendAll(files: File[]): Promise<string[]> {
    const total = files.reduce((sum, file) => sum + file.size, 0);
    progress!.max = Math.max(total, 1);
    const sender = new Sender(place.dataset["endpoint"] ?? "", token, (sent) => {
      progress!.value = sent;
    });
    const keys = [];
    for (const file of files) keys.push(await sender.send(file));
    return keys;
  }

  form.addEventListener("submit", (event) => {
    const files = [...(input.files ?? [])];
    // What the form's own check refuses is left to it, so that errors look the same everywhere.
    if (files.length === 0 || !socket.value) return;
    event.preventDefault();
    const limit = Number(place.dataset["limit"] ?? Infinity);
    const large = files.find((file) => file.size > limit);
    if (large) {
      words.textContent = `${large.name} is larger than one file may be.`;
      return;
    }
    button.disabled = true;
    progress.hidden = false;
    words.textContent = `Sending ${plural(files.length, "file", "files")}. Stay on this page until that is done.`;
    sendAll(files).then(
      (keys) => {
        for (const field of form.querySelectorAll("input[name=upload]")) field.remove();
        for (const key of keys) {
          const field = document.createElement("input");
          Object.assign(field, { type: "hidden", name: "upload", value: key });
          form.append(field);
        }
        input.value = "";
        form.submit();
      },
      (error: unknown) => {
        const reason = error instanceof Refused ? error.message : "";
        words.textContent = reason || "The files could not be sent. Check the connection and try again; nothing was changed.";
        progress.hidden = true;
        button.disabled = false;
      },
    );
  });
}

for (const place of document.querySelectorAll<HTMLElement>("[data-put]")) start(place);
