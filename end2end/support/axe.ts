import { AxeBuilder } from "@axe-core/playwright";
import { type Page, expect, test } from "@playwright/test";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Expects no violation in the light and dark themes and at 320 px, and no horizontal scrolling. */
export async function expectAccessible(page: Page): Promise<void> {
  if (test.info().project.use.javaScriptEnabled === false) {
    const copy = await copyWithoutScripts(page);
    await expectNoViolations(copy);
    await copy.context().close();
  } else {
    await expectNoViolations(page);
  }
}

/** Copies the page without its scripts to a browser with JavaScript, because axe needs JavaScript itself. */
async function copyWithoutScripts(page: Page): Promise<Page> {
  const html = (await page.content()).replaceAll(/<script[^>]*>.*?<\/script>/gs, "");
  const context = await page.context().browser()!.newContext({ javaScriptEnabled: true });
  const copy = await context.newPage();
  await copy.route(page.url(), (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body: html }));
  await copy.goto(page.url());
  return copy;
}

async function expectNoViolations(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  expect(await violations(axe(page).withTags(TAGS)), "light").toEqual([]);
  // The document is the same, so only rules about colors, sizes and scrolling can fail.
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  expect(await violations(axe(page).withRules(["color-contrast", "link-in-text-block"])), "dark").toEqual([]);
  const wide = page.viewportSize()!;
  await page.setViewportSize({ width: 320, height: 640 });
  const narrow = ["color-contrast", "target-size", "scrollable-region-focusable", "aria-hidden-focus"];
  expect(await violations(axe(page).withRules(narrow)), "at 320 px").toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow, "horizontal overflow in pixels at 320 px").toBeLessThanOrEqual(0);
  await page.setViewportSize(wide);
}

/** Uses the legacy mode, which opens no extra page for frames. The pages have no frames. */
function axe(page: Page): AxeBuilder {
  return new AxeBuilder({ page }).setLegacyMode();
}

/** Returns one line per element that violates a rule. */
async function violations(rules: AxeBuilder): Promise<string[]> {
  const results = await rules.analyze();
  return results.violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ""}`),
  );
}
