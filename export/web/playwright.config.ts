import { defineConfig, devices } from "@playwright/test";

// tests/export/test_web.py makes what these tests read, serves the pages, and starts them.
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const { browserName: _, defaultBrowserType: __, ...phone } = devices["Pixel 7"] as Record<string, unknown>;

export default defineConfig({
  testDir: "tests",
  outputDir: `${process.env["OUT"]}/playwright`,
  // A machine that is busy otherwise is not at fault.
  timeout: 120_000,
  expect: { timeout: 60_000 },
  workers: 1,
  forbidOnly: true,
  reporter: "list",
  use: {
    launchOptions: {
      executablePath: process.env["CHROMIUM"]!,
      args: [...FLAGS, "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream"],
    },
    acceptDownloads: true,
  },
  projects: [
    { name: "phone", use: phone, grep: /@phone/ },
    { name: "desktop", use: { viewport: { width: 1000, height: 760 } } },
  ],
});
