/* The gallery: completion in the query box, brushing, choosing images, and a page that grows. It works without. */
import { startBrushes } from "./brush";
import { startCompletion } from "./complete";
import { startEndless } from "./endless";
import { keepFacets } from "./panel";
import { startSelection } from "./selection";

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-completes]")) startCompletion(form);
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-range]")) startBrushes(form);
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-endless]")) {
  startSelection(form);
  startEndless(form);
}
keepFacets();
