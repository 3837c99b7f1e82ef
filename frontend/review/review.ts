/* The review gallery: a key decides and goes on; decisions are sent behind one's back, in order. */
import { announce } from "../site/announce";
import { plural } from "../site/words";
import { type Decision, type Entry, Outbox, type Status } from "./outbox";
import { Panel } from "./panel";
import { Stage } from "./stage";
import { Strip } from "./strip";

const ahead = 4;
const marks: Record<string, string> = { accepted: "accepted", flagged: "flagged", rejected: "rejected" };

class Review {
  private readonly form: HTMLFormElement;
  private readonly words: HTMLInputElement;
  private readonly strip: Strip;
  private readonly stage: Stage;
  private readonly panel: Panel;
  private readonly outbox: Outbox;
  private readonly history: { decision: Decision; at: HTMLElement }[] = [];
  private number = 0;

  constructor(private readonly page: HTMLElement) {
    this.form = this.one<HTMLFormElement>("[data-form]");
    this.words = this.one<HTMLInputElement>("[data-words]");
    this.strip = new Strip(this.one("[data-tiles]"), () => this.place());
    this.stage = new Stage(this.one("[data-stage]"), this.one("[data-zoom]"));
    this.panel = new Panel(this.one("[data-panel]"));
    const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
    const { person, cohort, decide, undo } = page.dataset;
    this.outbox = new Outbox(`medtheca.review.${person}.${cohort}`, { decide: decide!, undo: undo! }, token, {
      changed: (status) => this.tell(status),
      saved: (decision) => this.onSaved(decision),
      refused: (entry, words) => this.onRefused(entry, words),
    });
    this.markPending();
    this.listen();
    this.outbox.start();
    // The picture that came with the page is taken over, and the next ones are loaded.
    this.show(this.strip.nextOpenFrom());
  }

  private one<T extends HTMLElement>(selector: string): T {
    return this.page.querySelector<T>(selector)!;
  }

  // -- looking

  private show(tile: HTMLElement | null): void {
    if (!tile) {
      this.stage.showDone();
      this.place();
      announce("Everything in this list is judged.");
      return;
    }
    this.strip.show(tile);
    this.stage.show(tile);
    const following = this.strip.following(ahead);
    this.stage.preload(following);
    this.panel.show(tile, following[0] ?? null);
    this.one<HTMLInputElement>("[data-current]").value = tile.dataset["accession"] ?? "";
    this.one("[data-name]").textContent = tile.dataset["label"] ?? "";
    this.place();
  }

  private place(): void {
    const tiles = this.strip.tiles();
    this.one("[data-place]").textContent = `${tiles.indexOf(this.strip.current) + 1} of ${tiles.length} shown`;
    const chosen = this.strip.chosen().length;
    const chip = this.one("[data-chosen]");
    chip.hidden = chosen === 0;
    chip.querySelector("span")!.textContent = `${plural(chosen, "image", "images")} chosen: a decision is for all of them`;
    this.one("[data-clear]").hidden = chosen === 0;
    const open = tiles.filter((tile) => tile.dataset["decided"] === undefined).length;
    const all = this.one<HTMLButtonElement>("[data-accept-shown]");
    all.disabled = open === 0;
    all.lastChild!.textContent = `Accept all ${open} shown`;
    const waiting = this.page.querySelector<HTMLElement>("[data-waiting]");
    const left = Number(waiting?.dataset["waiting"]) - (tiles.length - open);
    if (waiting) waiting.textContent = Math.max(0, left).toLocaleString("en-GB");
  }

  private step(by: number): void {
    const tile = this.strip.beside(by);
    if (tile) this.show(tile);
    else if (by > 0) void this.strip.grow().then(() => this.strip.beside(by) && this.step(by));
  }

  // -- deciding

  private decide(act: string, tiles: HTMLElement[]): void {
    if (!tiles.length) return;
    this.number += 1;
    const decision: Decision = {
      kind: "decide",
      key: `${Date.now().toString(36)}-${this.number}`,
      accessions: tiles.map((tile) => tile.dataset["accession"] ?? ""),
      act,
      reason: act === "accepted" ? "" : this.words.value.trim(),
    };
    this.history.push({ decision, at: this.strip.current });
    const said = marks[act.split(":")[0] ?? ""] ?? act;
    for (const tile of tiles) {
      this.strip.mark(tile, said, "decided");
      this.strip.choose(tile, false);
      this.panel.forget(tile);
    }
    if (act !== "accepted") this.words.value = "";
    this.outbox.add(decision);
    const name = tiles.length === 1 ? tiles[0]!.dataset["label"] : plural(tiles.length, "image", "images");
    announce(`${said}: ${name}`);
    this.one<HTMLButtonElement>("[data-undo-last]").disabled = false;
    this.goOn();
  }

  private goOn(): void {
    const next = this.strip.nextOpen();
    if (next) this.show(next);
    else void this.strip.grow().then(() => this.show(this.strip.nextOpen()));
  }

  private decideChosen(act: string): void {
    const chosen = this.strip.chosen();
    this.decide(act, chosen.length ? chosen : [this.strip.current]);
  }

  private acceptShown(): void {
    this.decide(
      "accepted",
      this.strip.tiles().filter((tile) => tile.dataset["decided"] === undefined),
    );
  }

  private undo(): void {
    const last = this.history.pop();
    if (!last) return;
    for (const accession of last.decision.accessions) {
      const tile = this.strip.find(accession);
      if (!tile) continue;
      this.strip.mark(tile, "", "");
      this.panel.forget(tile);
    }
    this.outbox.takeBack(last.decision);
    this.one<HTMLButtonElement>("[data-undo-last]").disabled = this.history.length === 0;
    announce(`Taken back: ${last.at.dataset["label"] ?? ""}`);
    this.show(last.at);
  }

  // -- what the server says

  private markPending(): void {
    for (const entry of this.outbox.pending) {
      if (entry.kind === "decide") this.markAll(entry, marks[entry.act.split(":")[0] ?? ""] ?? "", "decided");
    }
  }

  private markAll(decision: Decision, words: string, state: "decided" | "saved" | "trouble" | ""): void {
    for (const accession of decision.accessions) {
      const tile = this.strip.find(accession);
      if (tile) this.strip.mark(tile, words, state);
    }
  }

  private onSaved(decision: Decision): void {
    for (const accession of decision.accessions) {
      const tile = this.strip.find(accession);
      // Taken back meanwhile: then it is open again.
      if (tile?.dataset["decided"] === "decided") tile.dataset["decided"] = "saved";
    }
  }

  private onRefused(entry: Entry, words: string): void {
    if (entry.kind === "decide") this.markAll(entry, "not saved", "trouble");
    const notice = document.createElement("div");
    notice.className = "notice notice-danger review-notice";
    notice.setAttribute("role", "alert");
    notice.textContent = `Not saved: ${words}`;
    this.one(".review-head").after(notice);
  }

  private tell(status: Status): void {
    const line = this.one("[data-saved]");
    let words = status.saved ? `${plural(status.saved, "decision", "decisions")} saved` : "Nothing to save yet";
    if (status.waiting) words = `${plural(status.waiting, "decision", "decisions")} not saved yet`;
    if (status.waiting && status.trouble) words += `. ${status.trouble} They are kept and sent again.`;
    line.dataset["state"] = status.trouble && status.waiting ? "trouble" : status.waiting ? "waiting" : "saved";
    this.one("[data-saved-words]").textContent = words;
  }

  // -- hands

  private listen(): void {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const act = (event.submitter as HTMLButtonElement | null)?.value ?? "";
      if (act === "accept-shown") this.acceptShown();
      else if (act) this.decideChosen(act);
    });
    this.page.addEventListener("click", (event) => this.onClick(event));
    this.page.addEventListener("change", () => this.place());
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  private onClick(event: MouseEvent): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    const target = event.target as Element;
    const tile = target.closest<HTMLElement>("[data-accession]");
    const neighbour = target.closest<HTMLElement>("[data-beside]");
    if (tile && target.closest("a")) this.show(tile);
    else if (neighbour && neighbour.dataset["beside"] && target.closest("a"))
      this.stage.putBeside(neighbour.dataset["beside"], neighbour.dataset["label"] ?? "");
    else if (target.closest("[data-next]")) void this.strip.grow();
    else if (target.closest("[data-undo-last]")) this.undo();
    else if (target.closest("[data-previous]")) this.step(-1);
    else if (target.closest("[data-forward]")) this.step(1);
    else if (target.closest("[data-zoom]")) this.stage.zoom();
    else if (target.closest("[data-clear]")) this.clear();
    else if (target.closest("[data-keys-open]")) this.one<HTMLDialogElement>("[data-keys]").showModal();
    else return;
    event.preventDefault();
  }

  private clear(): void {
    for (const tile of this.strip.chosen()) this.strip.choose(tile, false);
    this.place();
  }

  private cycleBeside(): void {
    const all = [...this.page.querySelectorAll<HTMLElement>("[data-panel] [data-beside]")];
    const at = all.findIndex((one) => one.dataset["beside"] === this.stage.beside);
    const next = all[at + 1];
    if (next?.dataset["beside"]) this.stage.putBeside(next.dataset["beside"], next.dataset["label"] ?? "");
    else this.stage.clearBeside();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (this.one<HTMLDialogElement>("[data-keys]").open) return;
    const target = event.target as HTMLElement;
    if (target === this.words && (event.key === "Escape" || event.key === "Enter")) {
      event.preventDefault();
      this.one("[data-stage]").focus();
      return;
    }
    if (target.closest("textarea, select, input:not([type=checkbox])")) return;
    if (this.press(event.key, event.shiftKey)) event.preventDefault();
  }

  private press(key: string, shift: boolean): boolean {
    const reason = this.page.querySelectorAll<HTMLButtonElement>(".review-reasons button")[Number(key) - 1];
    if (/^[1-9]$/.test(key) && reason) this.decideChosen(reason.value);
    else if (key === "A" && shift) this.acceptShown();
    else if (key === "a") this.decideChosen("accepted");
    else if (key === "f") this.decideChosen("flagged");
    else if (key === "u") this.undo();
    else if (key === "ArrowRight" || key === "j") this.step(1);
    else if (key === "ArrowLeft" || key === "k") this.step(-1);
    else if (key === "z") this.stage.zoom();
    else if (key === "c") this.cycleBeside();
    else if (key === "w") this.words.focus();
    else if (key === "x") {
      const { current } = this.strip;
      this.strip.choose(current, !this.strip.box(current).checked);
      this.place();
    } else if (key === "Escape") {
      this.stage.clearBeside();
      this.clear();
    } else if (key === "?") this.one<HTMLDialogElement>("[data-keys]").showModal();
    else return false;
    return true;
  }
}

const page = document.querySelector<HTMLElement>("[data-review]");
if (page?.querySelector("[data-form]")) new Review(page);
