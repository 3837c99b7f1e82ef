/* What every page runs. Pages work without it; it makes them quicker to use. */
import { startAppearance } from "./appearance";
import { startBell } from "./bell";
import { startCopy } from "./copy";
import { startFind } from "./find";
import { startForms } from "./forms";
import { startGrid } from "./grid";
import { startKeyboard } from "./keyboard";
import { startMenus } from "./menus";
import { startPicks } from "./picks";
import { startSwaps } from "./swaps";
import { startTimes } from "./times";

startAppearance();
startMenus();
startKeyboard();
startFind();
startCopy();
startBell();
startTimes();
startGrid();
startForms();
startPicks();
startSwaps();
