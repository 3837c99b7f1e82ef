/* What each refusal of the server means, what was kept, and what to do. */
import { DetailedError } from "tus-js-client";

export interface Refusal {
  words: string;
  /** May the same upload go on later, from where it stopped? */
  resumable: boolean;
  /** Is it about the person or the server, so that the other waiting files would meet the same? */
  stopsAll: boolean;
}

function detail(error: DetailedError): string {
  const body = error.originalResponse?.getBody()?.trim() ?? "";
  try {
    const problem = JSON.parse(body) as { detail?: unknown };
    if (typeof problem.detail === "string") return problem.detail;
  } catch {
    // Plain text, then.
  }
  return body.length > 0 && body.length < 300 && !body.startsWith("<") ? body : "";
}

function waitingTime(error: DetailedError): string {
  const seconds = Number(error.originalResponse?.getHeader("Retry-After"));
  return Number.isFinite(seconds) && seconds > 0 ? `in ${Math.ceil(seconds)} seconds` : "in a minute";
}

/** A file that was changed or taken away since it was chosen: the browser gives no more of it, however often asked. */
export function cannotSend(error: Error | DetailedError): boolean {
  const cause = error instanceof DetailedError ? error.causingError : error;
  return cause instanceof DOMException && (cause.name === "NotReadableError" || cause.name === "NotFoundError");
}

export function explain(error: Error | DetailedError): Refusal {
  if (cannotSend(error)) {
    return {
      words: "A file was changed, moved or taken away while it was sent. Choose the files again.",
      resumable: false,
      stopsAll: false,
    };
  }
  if (!(error instanceof DetailedError) || !error.originalResponse) {
    return {
      words: "The connection was lost. What was sent is kept. Check the network, then press Resume.",
      resumable: true,
      stopsAll: false,
    };
  }
  return explainStatus(error.originalResponse.getStatus(), detail(error), waitingTime(error));
}

export function explainStatus(status: number, said = "", wait = "in a minute"): Refusal {
  switch (status) {
    case 401:
      return {
        words: "You are no longer logged in. What was sent is kept. Log in, come back to this page and choose the same file.",
        resumable: true,
        stopsAll: true,
      };
    case 403:
      return {
        words:
          said ||
          "You may not upload to this cohort, or this page is too old. What was sent is kept. Reload the page and choose the same file; if it happens again, ask the cohort's owner.",
        resumable: true,
        stopsAll: true,
      };
    case 404:
    case 410:
      return {
        words: "The server no longer has the beginning of this upload. Choose the file again to start afresh.",
        resumable: false,
        stopsAll: false,
      };
    case 413:
      return {
        words: said || "The file is larger than this archive takes. Nothing was stored. Split it into several ZIP files.",
        resumable: false,
        stopsAll: false,
      };
    case 429:
      return {
        words: `${said || "Too many uploads at once, or your quota is used up."} What was sent is kept. Press Resume ${wait}.`,
        resumable: true,
        stopsAll: true,
      };
    case 507:
      return {
        words: `${said || "The archive has no room left at the moment."} What was sent is kept. Press Resume when support has made room.`,
        resumable: true,
        stopsAll: true,
      };
    default:
      return {
        words: `${said || `The server answered ${status}.`} What was sent is kept. Press Resume to try again.`,
        resumable: true,
        stopsAll: false,
      };
  }
}
