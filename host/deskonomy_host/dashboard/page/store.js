// The store: what the page knows. The latest entry of each city, the past in bounded memory, the latest events.
// Here: taking messages, and thinning the past by the same rule and with the same limits as the server
// (telemetry/thinning.py), so that the page keeps the rows that the server keeps. Not here: the connection (stream.js), views.

const EVENTS_MAX = 200;

export const store = {
  times: [], // of each row, seconds since 1970, the oldest first
  columns: {}, // {city: {metric: [number or null, one for each row]}}
  cities: [], // {status, origin, can, clock} of each city, as in feed.py
  events: [], // {time, city, kind, text, type, road}, the oldest first
  changed: {}, // {city: when its tick last changed, seconds since 1970}
  time: 0, // of the latest message, seconds since 1970
  thinning: { recent: Infinity, older: Infinity, counts: [0] }, // the server's limits, and the rows of each age
  chosenCity: null, // the city that the user has chosen
};

let pastStart = 0; // the first row of the past that the server sends

/** Return the goods of all cities, in the order in which they came. */
export function goods() {
  return [...new Set(store.cities.flatMap(({ status }) => Object.keys(status.price)))];
}

/** Return the entry of a city, undefined if it does not answer. */
function findEntry(city) {
  return store.cities.find(({ status }) => status.city === city);
}

/** Return the entry of the chosen city: the user's choice, else the first with a sensor, else the first. */
export function chosenEntry() {
  const hasSensor = ({ status }) => Object.keys(status.sensors ?? {}).length > 0;
  return findEntry(store.chosenCity) ?? store.cities.find(hasSensor) ?? store.cities[0];
}

/** Return the values of a city's metric, all null if it is not known. */
export function column(city, metric) {
  return store.columns[city]?.[metric] ?? new Array(store.times.length).fill(null);
}

/** Take the times of the server's past: they replace the page's rows from the first of them on; older rows stay. */
export function takeHello({ times, events, thinning }) {
  const first = times[0] ?? Infinity;
  const isOlder = store.times.length > 0 && store.times[0] > (times.at(-1) ?? 0); // a history that was wound back
  const kept = isOlder ? 0 : store.times.filter((time) => time < first).length;
  pastStart = times.length ? kept : 0;
  store.times = [...store.times.slice(0, pastStart), ...times];
  for (const [city, columns] of Object.entries(store.columns)) {
    for (const values of Object.values(columns)) {
      values.length = pastStart;
      while (values.length < store.times.length) values.push(null);
    }
    if (Object.values(columns).every((values) => values.every((value) => value === null))) delete store.columns[city];
  }
  // The page's own rows count as rows of the server's highest age.
  store.thinning = { ...thinning, counts: thinning.counts.with(-1, thinning.counts.at(-1) + pastStart) };
  store.events = [...store.events.filter((event) => event.time < first), ...events].slice(-EVENTS_MAX);
}

/** Take a city's columns of the server's past. All of them come before the next sample. */
export function takePast({ city, columns: past }) {
  const columns = (store.columns[city] ??= {});
  for (const [metric, values] of Object.entries(past)) {
    columns[metric] ??= new Array(store.times.length).fill(null);
    values.forEach((value, at) => (columns[metric][pastStart + at] = value));
  }
}

/** Take a sample. */
export function takeNow({ time, cities, rows, events }) {
  if (time < store.time) clear();
  for (const { status } of cities) {
    if (findEntry(status.city)?.status.tick !== status.tick) store.changed[status.city] = time;
  }
  store.time = time;
  store.cities = cities;
  store.events = [...store.events, ...events].slice(-EVENTS_MAX);
  for (const [city, row] of Object.entries(rows)) {
    const columns = (store.columns[city] ??= {});
    for (const metric of Object.keys(row)) columns[metric] ??= new Array(store.times.length).fill(null);
  }
  if (!Object.keys(rows).length) return; // time stands still, as at the end of a history
  store.times.push(time);
  for (const [city, columns] of Object.entries(store.columns)) {
    for (const [metric, values] of Object.entries(columns)) values.push(rows[city]?.[metric] ?? null);
  }
  for (const row of countSample(store.thinning)) mergeRows(row);
}

function clear() {
  store.times = [];
  store.columns = {};
  store.events = [];
  store.thinning.counts = [0];
}

/** Count a sample, and yield each row that is to be merged with the next one: Thinning.add() of telemetry/thinning.py. */
function* countSample({ recent, older, counts }) {
  counts[0] += 1;
  for (let age = 0; age < counts.length; age++) {
    while (counts[age] > (age ? older : recent) + 1) {
      counts[age + 1] ??= 0;
      const row = counts.slice(age + 1).reduce((sum, count) => sum + count, 0);
      counts[age] -= 2;
      counts[age + 1] += 1;
      yield row;
    }
  }
}

/** Replace a row and the next one by one row. */
function mergeRows(row) {
  removeItem(store.times, row + 1);
  for (const columns of Object.values(store.columns)) {
    for (const [metric, values] of Object.entries(columns)) {
      values[row] = mergeValues(metric, values[row], values[row + 1]);
      removeItem(values, row + 1);
    }
  }
}

function mergeValues(metric, first, second) {
  if (first === null || second === null) return first ?? second;
  if (metric.endsWith(".min")) return Math.min(first, second);
  if (metric.endsWith(".max")) return Math.max(first, second);
  return (first + second) / 2;
}

/** Remove an item in place; splice() would make an array of what it removes, thousands of times a second. */
function removeItem(items, at) {
  items.copyWithin(at, at + 1);
  items.length -= 1;
}
