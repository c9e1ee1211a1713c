// The figures as ratios to the raw echo, beside what they are meant to be.

const FIGURES = {
  small: "small",
  up: "100 KB in the request",
  down: "100 KB in the answer",
};
const WAYS = { one: "one by one", many: "at once" };

/** What taiku's ratios must not exceed. */
const GOALS = {
  "taiku window": { small: 1.15, up: 1.1, down: 1.1 },
  "taiku port": { small: 0.4, up: 0.1, down: 0.1 },
};

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};

/** The lines of a Markdown table, and one for the many panels. */
export function table({ browser, bytes, rounds, times, busy }) {
  const columns = Object.keys(FIGURES).flatMap((figure) => Object.keys(WAYS).map((way) => [figure, way]));
  const names = Object.keys(times.small);
  const cost = (name, [figure, way]) => {
    const all = times[figure][name];
    const whole = median(all.flatMap((one) => one[way]));
    return all[0].fetch ? whole - median(all.flatMap((one) => one.fetch[way])) : whole;
  };
  const row = (cells) => `| ${cells.join(" | ")} |`;
  const lines = [
    `Chromium ${browser}, ${rounds} rounds, ${bytes} bytes where it says 100 KB; ratios to the raw echo.`,
    "",
    row(["way", ...columns.map(([figure, way]) => `${FIGURES[figure]}, ${WAYS[way]}`)]),
    row(["---", ...columns.map(() => "---")]),
  ];
  for (const name of names) {
    const cells = columns.map((column) => {
      const ratio = cost(name, column) / cost("raw", column);
      const goal = GOALS[name]?.[column[0]];
      return ratio.toFixed(2) + (goal === undefined ? "" : ratio <= goal ? ` (≤ ${goal})` : ` (MISSES ${goal})`);
    });
    lines.push(row([name, ...cells]));
  }
  const micros = columns.map((column) => `${Math.round(cost("raw", column) * 1000)} µs`);
  lines.push(row(["raw, per call", ...micros]));
  const fetched = (way) => Math.round(median(times.down["taiku port"].flatMap((one) => one.fetch[way])) * 1000);
  lines.push("", `Taken off the 100 KB answers of taiku, for the page's bare fetch: ${fetched("one")} µs one by one, ${fetched("many")} µs at once.`);
  lines.push(
    `${busy.panels} panels, ${Math.round(busy.answered)} calls answered per second, ${busy.refused} refused: ` +
      `${busy.tasks} tasks of the host page took more than 50 ms${busy.tasks ? `, the longest ${Math.round(busy.longest)} ms` : ""}.`,
  );
  return lines;
}
