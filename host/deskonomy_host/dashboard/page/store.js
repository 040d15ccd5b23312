// What the page knows: the latest of every city, the past in bounded memory, the latest events.
// Here: keeping it. Recent samples stay as they were, of old ones several become one, as in track.py.
// Not here: where it comes from (stream.js), what it looks like.

export const RECENT = 300;
export const OLD = 300;
const EVENTS = 200;

export const store = {
  times: [],
  columns: {}, // {city: {name: [numbers or null, as long as times]}}
  cities: [], // {status, origin, can}
  events: [], // the oldest first
  seen: {}, // {city: when its status last changed, seconds}
  time: 0, // of the latest sample
  joined: 0,
  span: 1,
  chosen: null, // the city in focus
};

/** The goods of all cities, in the order in which they were met. */
export function goods() {
  return [...new Set(store.cities.flatMap((city) => Object.keys(city.status.price)))];
}

/** The entry of a city, undefined if it is not there. */
export function entry(name) {
  return store.cities.find((city) => city.status.city === name);
}

export function chosen() {
  return entry(store.chosen) ?? store.cities.find((city) => Object.keys(city.status.sensors ?? {}).length) ?? store.cities[0];
}

/** A column, of nulls where nothing is known. */
export function column(city, name) {
  return store.columns[city]?.[name] ?? new Array(store.times.length).fill(null);
}

/** The server's past takes the place of ours from its first sample on; what is older than that stays. */
export function takeHello(message) {
  const first = message.times[0] ?? Infinity;
  let kept = store.times.findIndex((time) => time >= first);
  if (kept < 0) kept = message.times.length ? store.times.length : 0;
  if (store.times.length && store.times[0] > (message.times.at(-1) ?? 0)) kept = 0; // a history that was wound back
  store.times.length = kept;
  store.times.push(...message.times);
  for (const city of Object.keys(store.columns)) {
    for (const values of Object.values(store.columns[city])) {
      values.length = kept;
      while (values.length < store.times.length) values.push(null);
    }
  }
  store.joined = Math.max(0, store.times.length - RECENT);
  store.events = [...store.events.filter((event) => event.time < first), ...message.events].slice(-EVENTS);
  store.pastLength = message.times.length;
}

export function takePast(message) {
  // Samples may have come in since; the past ends where they begin.
  const start = store.times.length - store.pastLength;
  const columns = (store.columns[message.city] ??= {});
  for (const [name, values] of Object.entries(message.columns)) {
    const mine = (columns[name] ??= new Array(store.times.length).fill(null));
    for (let at = 0; at < values.length; at++) mine[start + at] = values[at];
  }
}

export function takeNow(message) {
  if (message.time < store.time) forget();
  for (const { status } of message.cities) {
    const before = entry(status.city)?.status;
    if (!before || before.tick !== status.tick) store.seen[status.city] = message.time;
  }
  store.time = message.time;
  store.cities = message.cities;
  store.events = [...store.events, ...message.events].slice(-EVENTS);
  for (const [city, row] of Object.entries(message.rows)) {
    const columns = (store.columns[city] ??= {});
    for (const name of Object.keys(row)) columns[name] ??= new Array(store.times.length).fill(null);
  }
  if (!Object.keys(message.rows).length) return; // time stands still, as at the end of a history
  store.times.push(message.time);
  for (const [city, columns] of Object.entries(store.columns)) {
    const row = message.rows[city] ?? {};
    for (const [name, values] of Object.entries(columns)) values.push(row[name] ?? null);
  }
  shorten();
}

function forget() {
  store.times = [];
  store.columns = {};
  store.events = [];
  store.joined = 0;
  store.span = 1;
}

function shorten() {
  while (store.times.length - store.joined >= RECENT + store.span) {
    join(store.joined, store.joined + store.span, store.span);
    store.joined += 1;
  }
  while (store.joined > OLD) {
    const even = store.joined - (store.joined % 2);
    join(0, even, 2);
    store.joined = even / 2 + (store.joined % 2);
    store.span *= 2;
  }
}

/** Put one row in the place of each `size` rows from start to end. */
function join(start, end, size) {
  if (size === 1) return;
  const shrink = (values, pick) => {
    const parts = [];
    for (let at = start; at < end; at += size) parts.push(pick(values.slice(at, at + size)));
    values.splice(start, end - start, ...parts);
  };
  shrink(store.times, (part) => part[0]);
  for (const [city, columns] of Object.entries(store.columns)) {
    for (const [name, values] of Object.entries(columns)) {
      const pick = name.endsWith(".min") ? lowest : name.endsWith(".max") ? highest : mean;
      shrink(values, pick);
    }
    if (Object.values(columns).every((values) => values.every((value) => value === null))) delete store.columns[city];
  }
}

const known = (values) => values.filter((value) => value !== null);
const lowest = (values) => (known(values).length ? Math.min(...known(values)) : null);
const highest = (values) => (known(values).length ? Math.max(...known(values)) : null);
const mean = (values) => {
  const some = known(values);
  return some.length ? some.reduce((sum, value) => sum + value, 0) / some.length : null;
};
