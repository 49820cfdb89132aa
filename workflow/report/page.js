// The page's own script: it hands pictures to Vega-Lite and long tables to DataTables, and listens to the switches.
const LARGE = 3000; // rows of a heat map above which it is drawn as pixels, not as one element for each cell
const whenIdle = (work) => (window.requestIdleCallback ?? setTimeout)(work);

// A specification for the width that there is: so many panels in a row as fit, and legends no wider than the page.
function fitted(view, rows, width) {
  const spec = structuredClone(view);
  spec.datasets = { rows };
  const part = spec.spec ?? spec;
  if (spec.columns) {
    const [labels, gap] = [135, 32]; // pixels: of an axis on the left, and between panels
    part.width = Math.min(part.width, width - labels - gap);
    spec.columns = Math.max(1, Math.floor((width - labels) / (part.width + gap)));
  } else {
    part.width = width;
    spec.autosize = { type: "fit-x", contains: "padding" };
    if (width < 500) spec.config = { ...spec.config, axis: { ...spec.config.axis, labelLimit: 130, labelFontSize: 10 } };
  }
  const columns = Math.max(1, Math.floor(width / 230));
  spec.config = { ...spec.config, legend: { ...spec.config.legend, columns } };
  return spec;
}

// Pixels know nothing of the page's variables, so their colours are put in.
function withColours(spec) {
  const style = getComputedStyle(document.documentElement);
  const text = JSON.stringify(spec).replace(/var\((--[a-z]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
  return JSON.parse(text);
}

const difference = () => document.getElementById("show-difference")?.checked;

// Rows from columns; one that repeats its values has each of them once, and their places.
function toRows(columns) {
  const names = Object.keys(columns);
  const all = names.map((name) => {
    const { values, places } = columns[name];
    return places ? places.map((place) => values[place]) : values;
  });
  return (all[0] ?? []).map((_, row) => Object.fromEntries(names.map((name, place) => [name, all[place][row]])));
}

async function draw(element) {
  const { columns, views } = JSON.parse(document.getElementById(element.dataset.source).textContent);
  const rows = toRows(columns);
  const view = (difference() && views.difference) || views.value;
  let spec = fitted(view, rows, element.clientWidth);
  const isLarge = rows.length > LARGE && JSON.stringify(view).includes('"rect"');
  if (isLarge) spec = withColours(spec);
  element.dataset.drawn = "yes";
  await vegaEmbed(element, spec, { actions: false, renderer: isLarge ? "canvas" : "svg" });
}

const pictures = [...document.querySelectorAll(".picture")];
const waiting = (element) => !element.dataset.drawn && element.clientWidth > 0;
const observer = new IntersectionObserver(
  (seen) => seen.filter((one) => one.isIntersecting && waiting(one.target)).forEach((one) => draw(one.target)),
  { rootMargin: "400px" },
);
pictures.forEach((element) => observer.observe(element));

// The others follow one by one while nothing else is to do, so that print has them all.
async function drawRest() {
  const next = pictures.find(waiting);
  if (!next) {
    performance.mark("drawn");
    return document.documentElement.setAttribute("data-ready", "yes");
  }
  await draw(next);
  whenIdle(drawRest);
}
addEventListener("beforeprint", () => pictures.filter(waiting).forEach(draw));

let width = innerWidth;
function again() {
  pictures.forEach((element) => delete element.dataset.drawn);
  drawRest();
}
addEventListener("resize", () => {
  if (innerWidth !== width) {
    width = innerWidth;
    again();
  }
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
document.querySelectorAll("input[name=show], input[name=protocol]").forEach((input) => input.addEventListener("change", again));
document.querySelectorAll("details").forEach((one) => one.addEventListener("toggle", drawRest));

// A link into a folded part opens it.
function unfold() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
  if (target) target.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();

// Text as HTML, in which DataTables takes what it shows.
const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

// A cell of a long table: its text, or [text, number that it is sorted by, id of what a click opens].
function cellFor(cell, use) {
  const [text, order, opens] = Array.isArray(cell) ? cell : [cell];
  if (use === "sort" || use === "type") return order ?? (Array.isArray(cell) && !opens ? -Infinity : text);
  if (use !== "display") return text;
  return opens ? `<button type="button" popovertarget="${escaped(opens)}">${escaped(text)}</button>` : escaped(text);
}

// Long tables come after the first pictures, so that one sees something soon.
function sortable(DataTable, table) {
  const columns = [...table.tHead.rows[0].cells];
  const places = (test) => columns.flatMap((cell, place) => (test(cell) ? [place] : []));
  const isText = (cell) => cell.classList.contains("stub");
  new DataTable(table, {
    data: JSON.parse(document.getElementById(table.dataset.rows).textContent),
    deferRender: true,
    order: [],
    pageLength: 20,
    lengthMenu: [20, 100, { label: "all", value: -1 }],
    autoWidth: false,
    layout: { topStart: "info", topEnd: "search", bottomStart: "pageLength", bottomEnd: "paging" },
    language: { search: "Find in this table:", lengthMenu: "_MENU_ rows a page" },
    columnDefs: [
      { targets: "_all", render: cellFor },
      { targets: places(isText), className: "stub" },
      { targets: places((cell) => !isText(cell)), type: "num" },
      { targets: places((cell) => cell.dataset.filter), columnControl: [{ extend: "dropdown", icon: "search", text: "Filter", content: ["searchList"] }] },
    ],
    initComplete: () => {
      const pages = table.closest(".grid-box").querySelector("nav");
      if (pages) pages.setAttribute("aria-label", `pages of: ${table.closest(".grid-box").querySelector("h3").textContent}`);
    },
  });
}

const first = pictures.find(waiting);
if (first) await draw(first);
const { default: DataTable } = await import(document.getElementById("tables").textContent.trim());
document.querySelectorAll("table.grid").forEach((table) => sortable(DataTable, table));
performance.mark("usable");
whenIdle(drawRest);
