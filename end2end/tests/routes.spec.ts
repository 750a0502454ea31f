import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "@playwright/test";

import { VISITS } from "../support/visits.ts";

/** Routes that only scripts use, and what replaces them without JavaScript. */
const SCRIPTED = new Map([
  ["GET /integrations/webhook/deliveries/live", "a stream; the page has a link that reloads it"],
  ["GET /integrations/webhook/{id}/deliveries/live", "a stream; the page has a link that reloads it"],
  ["GET /integrations/webhook/{id}/recover/live", "a stream; the page shows the state when it is loaded"],
  ["POST /integrations/webhook/actions/check-name", "advice while typing; the form is checked when it is sent"],
  ["POST /integrations/webhook/actions/check-url", "advice while typing; the form is checked when it is sent"],
]);

/** Runs after all other tests (see `playwright.config.ts`). */
test("every page, form and server function is used without JavaScript", async ({}, info) => {
  const routes: string[] = JSON.parse(await readFile(join(import.meta.dirname, "../routes.json"), "utf8"));
  // `/new` before `/{id}`.
  const patterns = [...routes]
    .sort((one, other) => one.split("{").length - other.split("{").length)
    .map((route) => ({ route, pattern: new RegExp(`^${route.replaceAll(/\{\w+\}/g, "[^/]+")}$`) }));
  const folder = join(info.project.outputDir, VISITS);
  const reached = new Set<string>();
  for (const file of await readdir(folder)) {
    for (const visit of (await readFile(join(folder, file), "utf8")).split("\n")) {
      const match = patterns.find(({ pattern }) => pattern.test(visit));
      if (match) reached.add(match.route);
    }
  }
  const missing = routes.filter((route) => !reached.has(route) && !SCRIPTED.has(route));
  expect(missing, "no test without JavaScript reaches these").toEqual([]);
  const needless = [...SCRIPTED.keys()].filter((route) => reached.has(route) || !routes.includes(route));
  expect(needless, "these need no exception").toEqual([]);
});
