/*
 * Builds everything that pages load into the package's static folder. The output is
 * committed, so it must come out the same every time: plain names without hashes
 * (Django's manifest storage adds those), no source maps, one self-contained file a script.
 */
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import { build } from "vite";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(here, "../src/medtheca/interfaces/web/static/dist");
const modules = path.join(here, "node_modules");

const common = {
  configFile: false,
  root: here,
  base: "./",
  logLevel: "warn",
  publicDir: false,
};
const buildOptions = {
  outDir: out,
  emptyOutDir: false,
  assetsInlineLimit: 0,
  modulePreload: false,
  sourcemap: false,
  target: ["chrome111", "firefox114", "safari16.4"],
};

async function buildStyles() {
  await build({
    ...common,
    plugins: [tailwindcss()],
    build: {
      ...buildOptions,
      rolldownOptions: {
        input: { site: path.join(here, "site.css") },
        output: {
          assetFileNames: (asset) =>
            asset.names[0]?.endsWith(".woff2") ? "fonts/[name][extname]" : "[name][extname]",
        },
      },
    },
  });
}

async function buildScript(name, entry) {
  await build({
    ...common,
    build: {
      ...buildOptions,
      rolldownOptions: {
        input: { [name]: path.join(here, entry) },
        output: { format: "iife", entryFileNames: "[name].js" },
      },
    },
  });
}

/** One symbol an icon: `<use href="icons.svg#name">` takes colour and stroke width from the page. */
async function buildSprite() {
  const list = await readFile(path.join(here, "icons.txt"), "utf8");
  const names = list.split("\n").filter((line) => line && !line.startsWith("#"));
  const symbols = await Promise.all(
    names.map(async (name) => {
      const svg = await readFile(path.join(modules, "lucide-static/icons", `${name}.svg`), "utf8");
      const body = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
      return `<symbol id="${name}" viewBox="0 0 24 24">${body.replace(/\s*\n\s*/g, "")}</symbol>`;
    }),
  );
  const sprite = `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
  await writeFile(path.join(out, "icons.svg"), sprite);
}

/** The licences of what is copied or bundled travel with it. */
async function collectLicences() {
  const packages = [
    ["@fontsource-variable/inter", "LICENSE"],
    ["daisyui", "LICENSE"],
    ["htmx.org", "LICENSE"],
    ["lucide-static", "LICENSE"],
    ["openseadragon", "LICENSE.txt"],
    ["tailwindcss", "LICENSE"],
    ["tus-js-client", "LICENSE"],
    ["js-base64", "LICENSE.md"],
    ["url-parse", "LICENSE"],
    ["querystringify", "LICENSE"],
    ["requires-port", "LICENSE"],
  ];
  const texts = await Promise.all(
    packages.map(async ([name, file]) => {
      const about = JSON.parse(await readFile(path.join(modules, name, "package.json"), "utf8"));
      const text = await readFile(path.join(modules, name, file), "utf8");
      return `${name} ${about.version}\n${"=".repeat(72)}\n${text.trim()}\n`;
    }),
  );
  await writeFile(path.join(out, "LICENCES.txt"), texts.join("\n\n"));
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await buildStyles();
await buildScript("theme", "site/theme.ts");
await buildScript("site", "site/site.ts");
await buildScript("gallery", "gallery/gallery.ts");
await buildScript("volume", "site/volume.ts");
await buildScript("slide", "site/slide.ts");
await buildScript("upload", "upload/upload.ts");
await buildScript("passkeys", "account/passkeys.ts");
await buildScript("inspect", "inspect/inspect.ts");
await buildScript("review", "review/review.ts");
await buildScript("replace", "replace/replace.ts");
await buildScript("put", "items/put.ts");
await buildScript("redact", "review/redact.ts");
await buildScript("logo", "archive/logo.ts");
await copyFile(path.join(modules, "htmx.org/dist/htmx.min.js"), path.join(out, "htmx.js"));
await copyFile(path.join(here, "favicon.svg"), path.join(out, "favicon.svg"));
await buildSprite();
await collectLicences();
