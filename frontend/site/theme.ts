/*
 * Runs in the head, before anything is painted, so that a chosen appearance never flashes.
 * Without a choice no attribute is set and the style sheet follows the system.
 */
import { applyAppearance, storedAppearance } from "./appearance";

document.documentElement.dataset["scripts"] = "";
applyAppearance(storedAppearance());
