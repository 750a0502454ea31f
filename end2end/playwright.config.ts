import { existsSync } from "node:fs";

import { defineConfig } from "@playwright/test";

const onCi = Boolean(process.env["CI"]);

/** Every journey is taken twice, with JavaScript and without; those over pages without a script once. */
export default defineConfig({
  testDir: "tests",
  fullyParallel: true,
  // Each worker has a server and a browser of its own.
  workers: 2,
  forbidOnly: onCi,
  // A test that passes only sometimes is a failure that somebody should see.
  retries: 0,
  timeout: 45_000,
  expect: { timeout: 7_500 },
  reporter: onCi ? [["list"], ["html", { open: "never" }]] : [["list"]],
  use: {
    // While pages fade into each other, a click hits the fading picture.
    contextOptions: { reducedMotion: "reduce" },
    // A trace of every test would double its time; `npx playwright test --trace on …` makes one of those that failed.
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
    { name: "javascript", use: { javaScriptEnabled: true } },
    { name: "no-javascript", use: { javaScriptEnabled: false }, grepInvert: /@scriptless/ },
  ],
});

/** The browser without its window takes half of the processor time. Not every system has it as a package. */
function chromium(): string {
  const headless = "/usr/bin/chromium-headless-shell";
  return existsSync(headless) ? headless : "/usr/bin/chromium";
}
