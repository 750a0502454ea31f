import { AxeBuilder } from "@axe-core/playwright";
import { type Page, expect, test } from "@playwright/test";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** No violation in light and dark, and on a phone; and nothing there to scroll sideways for. */
export async function expectAccessible(page: Page): Promise<void> {
  if (test.info().project.use.javaScriptEnabled === false) {
    const copy = await withoutOurScripts(page);
    await expectNoViolations(copy);
    await copy.context().close();
  } else {
    await expectNoViolations(page);
  }
}

/** axe needs timers, which a browser without JavaScript has not: so the same document where scripts could run, but none of ours does. */
async function withoutOurScripts(page: Page): Promise<Page> {
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
  // The document stays the same: what may still break are colours, sizes and what has to scroll.
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  expect(await violations(axe(page).withRules(["color-contrast", "link-in-text-block"])), "dark").toEqual([]);
  const wide = page.viewportSize()!;
  await page.setViewportSize({ width: 320, height: 640 });
  const narrow = ["color-contrast", "target-size", "scrollable-region-focusable", "aria-hidden-focus"];
  expect(await violations(axe(page).withRules(narrow)), "at 320 px").toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow, "pixels to scroll sideways at 320 px").toBeLessThanOrEqual(0);
  await page.setViewportSize(wide);
}

/** There are no frames, for which it would open a page of its own each time. */
function axe(page: Page): AxeBuilder {
  return new AxeBuilder({ page }).setLegacyMode();
}

/** One line for each element that breaks a rule. */
async function violations(rules: AxeBuilder): Promise<string[]> {
  const results = await rules.analyze();
  return results.violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ""}`),
  );
}
