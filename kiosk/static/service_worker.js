"use strict";
// Keeps the kiosk page and its assets, so that it opens without a network. The server puts before this file
// `const SHELL = {version, scope, assets}`: whatever changes in the shell makes another worker and another cache.
const PREFIX = "otklik-kiosk-";
const CACHE = PREFIX + SHELL.version;
const LOCKS = "otklik-shell-";
const PATIENCE = 2_500;
const ASSETS = ["style", "script", "image", "manifest"];
const LOOSE = { ignoreVary: true };

const isPage = (url) => url.origin === location.origin && /^[^/.]+$/.test(url.pathname.slice(SHELL.scope.length)) && url.pathname.startsWith(SHELL.scope);
// A captive portal or a proxy may answer 200 too: only our own page carries this header.
const isOurs = (response) => response.ok && !response.redirected && response.headers.has("Otklik-Page");
const shellOf = (response) => response.headers.get("Otklik-Shell");
const bare = (url) => url.origin + url.pathname;
const after = (wait) => new Promise((resolve) => setTimeout(resolve, wait));
const mine = () => caches.open(CACHE);

async function otherCaches() {
  return (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
}

// An asset's address ends with the first digits of its content's digest, so that nobody on the line can put another in.
async function isWhole(response) {
  const expected = new URL(response.url).searchParams.get("v");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await response.clone().arrayBuffer()));
  return Array.from(digest.slice(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join("") === expected;
}

// What the page has just loaded need not come over the line again.
async function keepAsset(cache, address) {
  for (const mode of ["force-cache", "reload"]) {
    const response = await fetch(address, { cache: mode });
    if (response.ok && !response.redirected && (await isWhole(response))) return cache.put(address, response);
  }
  throw new Error(`no shell: ${address}`);
}

// Returns whether the page is kept. A page that the server no longer has stays as an older worker kept it.
async function keepPage(cache, address) {
  const response = await fetch(address, { cache: "no-cache" });
  const older = response.status === 404 && (await caches.match(address, LOOSE));
  const kept = older || (isOurs(response) && shellOf(response) === SHELL.version && response);
  if (kept) await cache.put(address, kept);
  else if (response.status !== 404) throw new Error(`no page: ${address}`);
  return Boolean(kept);
}

async function keptPages(names) {
  const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return new Set(requests.flat().map((request) => new URL(request.url)).filter(isPage).map(bare));
}

// Whole or not at all: while anything of the new shell is missing, the old worker and its cache go on serving. The new
// one waits until no old page lives, or until an idle one asks for it.
async function install() {
  const cache = await mine();
  const pages = await keptPages(await otherCaches());
  await Promise.all(SHELL.assets.map((address) => keepAsset(cache, address)));
  await Promise.all(Array.from(pages, (address) => keepPage(cache, address)));
}

// Deletes old shells once each open page is known to be of this one, by the lock that each holds while it lives; but
// for those that a kept page still stands on.
async function sweep() {
  const pages = (await self.clients.matchAll({ type: "window", includeUncontrolled: true })).filter(({ url }) => isPage(new URL(url)));
  const { held } = navigator.locks ? await navigator.locks.query() : { held: [] };
  const locks = held.filter(({ name }) => name.startsWith(LOCKS));
  if (locks.length < pages.length || locks.some(({ name }) => name !== LOCKS + SHELL.version)) return;
  const cache = await mine();
  const kept = await Promise.all(Array.from(await keptPages([CACHE]), (address) => cache.match(address, LOOSE)));
  const needed = new Set(kept.map((page) => PREFIX + shellOf(page)));
  await Promise.all((await otherCaches()).filter((name) => !needed.has(name)).map((name) => caches.delete(name)));
}

async function activate() {
  await self.clients.claim();
  await sweep();
}

// A page of a newer shell is not kept alone: it comes with its assets, by a newer worker.
async function freshPage(request, cache) {
  const response = await fetch(request);
  if (isOurs(response) && shellOf(response) === SHELL.version) await cache.put(bare(new URL(request.url)), response.clone());
  return response;
}

async function servePage(event) {
  const cache = await mine();
  const kept = await cache.match(bare(new URL(event.request.url)), LOOSE);
  const fresh = freshPage(event.request, cache);
  event.waitUntil(fresh.catch(() => {}));
  if (!kept) return fresh;
  const whole = (response) => isOurs(response) && shellOf(response) === SHELL.version;
  const ours = fresh.then((response) => (whole(response) ? response : kept), () => kept);
  return Promise.race([ours, after(PATIENCE).then(() => kept)]);
}

async function serveAsset(request) {
  const cache = await mine();
  const kept = (await cache.match(request, LOOSE)) || (await caches.match(request, LOOSE));
  if (kept) return kept;
  const response = await fetch(request);
  const lasting = /^(image\/|application\/manifest)/.test(response.headers.get("Content-Type"));
  if (response.ok && !response.redirected && lasting) await cache.put(request, response.clone());
  return response;
}

async function answer({ data, ports }) {
  if (data === "switch") return self.skipWaiting();
  const address = bare(new URL(data.keep));
  const cache = await mine();
  const kept = (await cache.match(address, LOOSE)) || (await keepPage(cache, address).catch(() => false));
  ports[0].postMessage(Boolean(kept));
  return sweep();
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => event.waitUntil(answer(event)));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && isPage(url)) event.respondWith(servePage(event));
  else if (ASSETS.includes(request.destination) || url.searchParams.has("v")) event.respondWith(serveAsset(request));
});
