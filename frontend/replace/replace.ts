/*
 * The form that replaces a file: with scripts the bytes go to the byte plane by tus, in chunks and with progress, so that
 * a file of any size can be sent. Without, or where the browser cannot, the form itself is sent.
 */
import { Upload } from "tus-js-client";
import { checksumStack } from "../upload/checksums";

function refusal(error: unknown): string {
  const body = (error as { originalResponse?: { getBody(): string } | null }).originalResponse?.getBody();
  try {
    const problem = JSON.parse(body ?? "") as { message?: string; detail?: string; remedy?: string };
    const words = [problem.message ?? problem.detail, problem.remedy].filter(Boolean).join(" ");
    if (words) return words;
  } catch {
    // No answer, or none that says why.
  }
  return "The file could not be sent. Check the connection and try again; nothing was replaced.";
}

function start(place: HTMLElement): void {
  const form = place.closest("form");
  const input = form?.querySelector<HTMLInputElement>("input[type=file]");
  const reason = form?.querySelector<HTMLTextAreaElement>("[name=reason]");
  const token = form?.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";
  const words = place.querySelector<HTMLElement>("[data-words]");
  const progress = place.querySelector<HTMLProgressElement>("[data-progress]");
  const button = form?.querySelector<HTMLButtonElement>("button.btn-primary");
  if (!form || !input || !reason || !words || !progress || !button) return;

  form.addEventListener("submit", (event) => {
    const file = input.files?.[0];
    // What the form's own check refuses is left to it, so that errors look the same everywhere.
    if (!file || !reason.value.trim()) return;
    event.preventDefault();
    button.disabled = true;
    progress.hidden = false;
    words.textContent = "Sending the file.";
    const upload = new Upload(file, {
      endpoint: place.dataset["endpoint"] ?? "",
      chunkSize: 8 * 1024 * 1024,
      retryDelays: [0, 1000, 3000, 5000, 10_000],
      metadata: {
        filename: file.name,
        filetype: file.type || "application/octet-stream",
        accession: place.dataset["accession"] ?? "",
        reason: reason.value,
      },
      storeFingerprintForResuming: false,
      httpStack: checksumStack(),
      onBeforeRequest: (request) => {
        if (!/^(GET|HEAD|OPTIONS)$/.test(request.getMethod())) request.setHeader("X-CSRFToken", token);
      },
      onProgress: (sent, total) => {
        progress.max = total;
        progress.value = sent;
      },
      onSuccess: () => {
        const id = upload.url?.split("/").filter(Boolean).pop() ?? "";
        window.location.assign((place.dataset["page"] ?? "").replace("{id}", id));
      },
      onError: (error) => {
        words.textContent = refusal(error);
        progress.hidden = true;
        button.disabled = false;
      },
    });
    upload.start();
  });
}

for (const place of document.querySelectorAll<HTMLElement>("[data-replace]")) start(place);
