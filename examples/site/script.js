// The first page's script: asks the API, shows the users, and shows what went over the wire. Without it the page is
// whole but for that.

const byId = (id) => document.getElementById(id);
const PATIENCE_MS = 10000;
const EXCHANGES_SHOWN = 4;

// An element with attributes and children; strings become text, never markup.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function showState(element, text, isFault = false) {
  element.textContent = text;
  element.classList.toggle("fault", isFault);
}

const milliseconds = (value) => (value < 0.1 ? "< 0.1 ms" : `${value.toFixed(1)} ms`);
const bytes = (count) => `${count.toLocaleString("en")} ${count === 1 ? "byte" : "bytes"}`;

// ---- Exchanges ------------------------------------------------------------------------------------------------------

// What the browser measured of the request that began last; entries come in a moment after the response.
async function findTiming(url, startedAt) {
  for (let tries = 0; tries < 10; tries++) {
    const entry = performance.getEntriesByName(url, "resource").findLast((known) => known.startTime >= startedAt);
    if (entry?.responseEnd > 0) return entry;
    await new Promise((resume) => setTimeout(resume, 10));
  }
  return null;
}

// Sends a request and reads the response to its end: what was sent, what came, and how long it took.
async function exchange(method, path, body) {
  const request = { method, path, fields: { Accept: "application/json" } };
  if (body !== undefined) {
    request.fields["Content-Type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  performance.clearResourceTimings();
  const startedAt = performance.now();
  const response = await fetch(path, {
    method,
    headers: request.fields,
    body: request.body,
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const text = await response.text();
  const endedAt = performance.now();
  const timing = await findTiming(new URL(path, location.href).href, startedAt);
  return { request, response, text, tookMs: endedAt - startedAt, timing };
}

// What a failed exchange means for a person: the server's own words (RFC 9457) where it has some.
function explain({ response, text }) {
  const status = `${response.status} ${response.statusText}`.trim();
  if (response.status === 404) return `${status}: there is no API here. ./dev run serves this site together with one.`;
  try {
    const problem = JSON.parse(text);
    return `${status}: ${problem.detail ?? problem.title}`;
  } catch {
    return status;
  }
}

// As exchange, shown on the wire. Where it does not succeed, says so in `state` and returns null.
async function attempt(state, method, path, body) {
  let one;
  try {
    one = await exchange(method, path, body);
  } catch {
    showState(state, "No answer came. Is the server still running?", true);
    return null;
  }
  showExchange(one);
  if (one.response.ok) return one;
  showState(state, explain(one), true);
  return null;
}

// ---- The wire -------------------------------------------------------------------------------------------------------

const protocolOf = (timing) => (timing?.nextHopProtocol || "http/1.1").toUpperCase();

function requestText({ request, timing }) {
  const lines = [`${request.method} ${request.path} ${protocolOf(timing)}`];
  for (const [name, value] of Object.entries(request.fields)) lines.push(`${name}: ${value}`);
  if (request.body !== undefined) lines.push("", request.body);
  return lines.join("\n");
}

function responseText({ response, text, timing }) {
  const lines = [`${protocolOf(timing)} ${response.status} ${response.statusText}`];
  for (const [name, value] of response.headers) lines.push(`${name}: ${value}`);
  lines.push("", text);
  return lines.join("\n");
}

function factsOf({ text, timing, tookMs }) {
  const facts = [["Content", bytes(new TextEncoder().encode(text).length)]];
  if (timing?.requestStart > 0) {
    facts.push(["First byte after", milliseconds(timing.responseStart - timing.requestStart)]);
    const reused = timing.connectStart === timing.connectEnd;
    facts.push(["Connection", reused ? "kept alive since an earlier request" : "opened for this request"]);
  }
  facts.push(["As the page saw it", milliseconds(tookMs)]);
  return facts;
}

function took({ timing, tookMs }) {
  return timing?.requestStart > 0 ? timing.responseEnd - timing.requestStart : tookMs;
}

function showExchange(one) {
  const { request, response } = one;
  const facts = make("dl", { class: "facts" });
  for (const [term, value] of factsOf(one)) facts.append(make("dt", {}, term), make("dd", {}, value));
  const details = make(
    "details",
    { open: "" },
    make(
      "summary",
      {},
      make("code", {}, `${request.method} ${request.path}`),
      make("span", { class: "status" }, `${response.status} ${response.statusText}`),
      make("span", { class: "took" }, milliseconds(took(one))),
    ),
    make("h4", {}, "Sent"),
    make("pre", {}, requestText(one)),
    make("h4", {}, "Received"),
    make("pre", {}, responseText(one)),
    facts,
  );
  const list = byId("wire");
  for (const older of list.querySelectorAll("details")) older.open = false;
  list.prepend(make("li", response.ok ? {} : { class: "fault" }, details));
  while (list.children.length > EXCHANGES_SHOWN) list.lastElementChild.remove();
  byId("wire-note").textContent = "As far as a script may see: a browser adds fields of its own to what it sends.";
}

// ---- Users ----------------------------------------------------------------------------------------------------------

// An address that is too long for its column breaks behind the @.
function breakable(email) {
  const at = email.indexOf("@") + 1;
  return [email.slice(0, at), make("wbr"), email.slice(at)];
}

function showUsers(users) {
  const rows = users.map(({ id, name, email }) =>
    make(
      "tr",
      {},
      make("td", { class: "id" }, String(id)),
      make("th", { scope: "row" }, name),
      make("td", {}, ...breakable(email)),
    ),
  );
  byId("users").tBodies[0].replaceChildren(...rows);
  byId("users").hidden = users.length === 0;
  const count = users.length === 1 ? "One user." : `${users.length} users.`;
  showState(byId("users-state"), users.length === 0 ? "The answer is an empty list: there are no users yet." : count);
}

async function loadUsers() {
  const state = byId("users-state");
  showState(state, "Asking …");
  const one = await attempt(state, "GET", "/api/getusers");
  if (one) showUsers(JSON.parse(one.text).users);
}

async function addUser(form) {
  const state = byId("add-state");
  showState(state, "Sending …");
  const { name, email } = Object.fromEntries(new FormData(form));
  const one = await attempt(state, "POST", "/api/users", { name, email });
  if (!one) return;
  form.reset();
  showState(state, `Added as ${one.response.headers.get("Location")}.`);
  await loadUsers();
}

// One at a time. The button keeps its focus, which a disabled one would lose.
async function whileBusy(button, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

for (const id of ["load-users", "add-user"]) byId(id).hidden = false;
byId("load-users").addEventListener("click", (event) => whileBusy(event.currentTarget, loadUsers));
byId("add-user").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  whileBusy(form.querySelector("button"), () => addUser(form));
});

// ---- This page ------------------------------------------------------------------------------------------------------

// How this very page came, where the browser tells, and where it was asked for by the line in the picture.
function showThisPage() {
  const [page] = performance.getEntriesByType("navigation");
  const isPictured = location.pathname + location.search === "/" && page?.nextHopProtocol === "http/1.1";
  if (!isPictured || page.transferSize === 0 || page.responseStart <= page.requestStart) return;
  const wait = milliseconds(page.responseStart - page.requestStart);
  byId("this-page").textContent =
    `They asked for this page, and ${wait} later the first of its ${bytes(page.encodedBodySize)} was here.`;
}

if (document.readyState === "complete") showThisPage();
else addEventListener("load", () => setTimeout(showThisPage));

// ---- The map --------------------------------------------------------------------------------------------------------

// Marks the stop on the map whose step is being read.
function markSteps() {
  const steps = [...document.querySelectorAll(".steps [data-step]")];
  const mark = (number) => {
    for (const one of document.querySelectorAll("[data-step]"))
      one.classList.toggle("here", one.dataset.step === number);
  };
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) mark(target.dataset.step);
    },
    { rootMargin: "-45% 0px -45% 0px" },
  );
  for (const step of steps) observer.observe(step);
}

markSteps();
