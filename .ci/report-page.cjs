// Opens a report as people do, and fails if the page asks for anything, is wider than the screen, or axe finds more than something minor.
// Arguments: the browser, the page, and a folder for pictures.
const fs = require("fs");
const puppeteer = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [chromium, file, pictures] = process.argv.slice(2);
const widths = { phone: { width: 390, height: 844, isMobile: true }, laptop: { width: 1366, height: 768 } };
(async () => {
  const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const faults = [];
  for (const [device, viewport] of Object.entries(widths)) {
    for (const scheme of ["light", "dark"]) {
      const where = `${device}, ${scheme}`;
      const page = await browser.newPage();
      await page.setViewport(viewport);
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      let requests = 0;
      page.on("request", request => {
        if (request.url() !== `file://${file}` || requests++ > 0) faults.push(`${where}: requests ${request.url()}`);
      });
      page.on("console", message => faults.push(`${where}: ${message.text()}`));
      await page.goto(`file://${file}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) faults.push(`${where}: the page is ${wide} pixels wider than the screen`);
      // A table that is wider than its place says so on a phone, and no title is cut.
      const hidden = await page.evaluate(() => [...document.querySelectorAll(".scroll")].flatMap(table => {
        const title = table.querySelector("caption .title");
        const isCut = title.getBoundingClientRect().right > table.getBoundingClientRect().right;
        const isSilent = table.scrollWidth > table.clientWidth && innerWidth < 640 && getComputedStyle(title, "::after").content === "none";
        return isCut ? [`the title '${title.textContent}' is cut`] : isSilent ? [`'${title.textContent}' has columns out of sight`] : [];
      }));
      const broken = await page.evaluate(() => [...document.querySelectorAll(".cards .big")]
        .filter(figure => figure.getBoundingClientRect().height > 1.5 * parseFloat(getComputedStyle(figure).lineHeight))
        .map(figure => `the figure '${figure.textContent}' takes two lines`));
      const verdict = await page.evaluate(() => document.querySelector(".verdict").getBoundingClientRect().bottom - innerHeight);
      if (verdict > 0) broken.push("the verdict is not on the first screen");
      // At the end of its scroll, a table shows each value whole or not at all, and no name breaks within a word.
      const covered = await page.evaluate(() => [...document.querySelectorAll(".scroll")].flatMap(table => {
        table.scrollLeft = table.scrollWidth;
        const name = table.querySelector("tbody th").getBoundingClientRect().right;
        const cells = [...table.querySelectorAll("tbody tr:first-child td")].map(cell => cell.getBoundingClientRect());
        const isCut = cells.some(cell => cell.left < name - 1 && cell.right > name + 1);
        table.scrollLeft = 0;
        return isCut ? [`'${table.getAttribute("aria-label")}' has values half covered at the end of its scroll`] : [];
      }));
      const torn = await page.evaluate(() => [...document.querySelectorAll("tbody th")].flatMap(cell => {
        const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        const words = [];
        while (texts.nextNode()) {
          for (const word of texts.currentNode.data.matchAll(/[^\s/-]+/g)) {
            const range = document.createRange();
            range.setStart(texts.currentNode, word.index);
            range.setEnd(texts.currentNode, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(line => line.top)).size > 1) words.push(`the word '${word[0]}' breaks`);
          }
        }
        return words;
      }));
      faults.push(...[...hidden, ...broken, ...covered, ...torn].map(fault => `${where}: ${fault}`));
      await page.evaluate(axe);
      const { violations, passes } = await page.evaluate(() => axe.run({ resultTypes: ["violations"] }));
      for (const { id, impact, nodes } of violations) {
        console.log(`${where}: ${impact}: ${id}: ${nodes[0].html.slice(0, 120)}`);
        if (impact !== "minor") faults.push(`${where}: axe finds ${id} (${impact}) in ${nodes.length} places`);
      }
      await page.screenshot({ path: `${pictures}/${device}-${scheme}.png` });
      console.log(`${where}: axe passes ${passes.length} rules and finds ${violations.length} violations`);
      if (where === "laptop, light") {
        const pdf = await page.pdf({ path: `${pictures}/report.pdf`, format: "A4" });
        console.log(`PDF of ${pdf.length} bytes`);
      }

      await page.close();
    }
  }
  await browser.close();
  faults.forEach(fault => console.log(fault));
  process.exit(faults.length > 0 ? 1 : 0);
})();
