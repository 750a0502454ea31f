import { AddDialog } from "../pages/webhooks.ts";
import { expect, needsScript, test } from "../support/test.ts";
