/**
 * Tells what the page says of pictures, without a browser: tests/export/test_web_modules.py compares.
 *
 * Read from a folder: pictures.json, a list of widths, heights and channels, and pixels.raw, all of
 * their bytes.
 */
import { readFileSync } from "node:fs";
import { runnerImport } from "vite";

const folder = process.argv[2];
const options = { configFile: false, logLevel: "error" };
const { module } = await runnerImport("./src/inspection.ts", options);
const pixels = new Uint8Array(readFileSync(`${folder}/pixels.raw`));
let at = 0;
const told = JSON.parse(readFileSync(`${folder}/pictures.json`, "utf-8")).map(({ noise, knowsPages, ...size }) => {
  const data = pixels.subarray(at, (at += size.width * size.height * size.channels));
  const found = module.inspect({ ...size, data });
  return { ...found, sentence: module.sentenceOf(found), objection: module.objection(found, noise, knowsPages) ?? null };
});
console.log(JSON.stringify(told));
