import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "@playwright/test";

import { type Visit, VISITS } from "../support/visits.ts";

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
  const routeOf = (request: string) => patterns.find(({ pattern }) => pattern.test(request))?.route ?? request;
  const reached = new Set<string>();
  const all = await visits(info.project.outputDir);
  const forms = all.filter((visit) => "function" in visit);
  for (const visit of all.filter((visit) => !("function" in visit))) {
    const route = routeOf(`${visit.method} ${visit.path}`);
    reached.add(route);
    const form = forms.find(
      (form) =>
        routeOf(`${form.method} ${form.path}`) === route
        && form.button === visit.button
        && form.hidden.every((name) => visit.fields.includes(name))
        && visit.fields.every((name) => form.fields.includes(name)),
    );
    if (form) reached.add(`POST ${form.function}`);
  }
  const missing = routes.filter((route) => !reached.has(route) && !SCRIPTED.has(route));
  expect(missing, "no test without JavaScript reaches these").toEqual([]);
  const needless = [...SCRIPTED.keys()].filter((route) => reached.has(route) || !routes.includes(route));
  expect(needless, "these need no exception").toEqual([]);
});

async function visits(outputFolder: string): Promise<Visit[]> {
  const folder = join(outputFolder, VISITS);
  const files = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), "utf8")));
  return files.flatMap((lines) => lines.trim().split("\n")).map((line) => JSON.parse(line));
}
