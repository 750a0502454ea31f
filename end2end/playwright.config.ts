import { existsSync } from "node:fs";

import { defineConfig } from "@playwright/test";

const ROUTES = "**/routes.spec.ts";

const onCi = Boolean(process.env["CI"]);

/** Runs every test with and without JavaScript. Tests tagged `SCRIPTLESS` run once. */
export default defineConfig({
  testDir: "tests",
  fullyParallel: true,
  // Each worker has its own server and browser.
  workers: 2,
  forbidOnly: onCi,
  // Flaky tests must fail visibly.
  retries: 0,
  timeout: 45_000,
  expect: { timeout: 7_500 },
  reporter: onCi ? [["list"], ["html", { open: "never" }]] : [["list"]],
  use: {
    // During a view transition, clicks hit its snapshot instead of the page.
    contextOptions: { reducedMotion: "reduce" },
    // Tracing doubles the duration. To trace a failed test, run `npx playwright test --trace on …`.
    screenshot: "only-on-failure",
    actionTimeout: 10_000,
    navigationTimeout: 15_000,
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? chromium(),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "javascript", use: { javaScriptEnabled: true }, testIgnore: ROUTES },
    { name: "no-javascript", use: { javaScriptEnabled: false }, testIgnore: ROUTES, grepInvert: /@scriptless/ },
    // Compares the routes that the other projects have visited with all routes.
    { name: "routes", testMatch: ROUTES, dependencies: ["javascript", "no-javascript"] },
  ],
});

/** Prefers the headless shell, which needs half of the processor time. Not every system has a package of it. */
function chromium(): string {
  const headless = "/usr/bin/chromium-headless-shell";
  return existsSync(headless) ? headless : "/usr/bin/chromium";
}
