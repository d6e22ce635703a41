"use strict";
// Keeps the kiosk page and its assets, so that it opens without a network. The server puts before this file
// `const SHELL = {version, scope, assets}`: whatever changes in the shell makes another worker and another cache.
const PREFIX = "otklik-kiosk-";
const CACHE = PREFIX + SHELL.version;
const PATIENCE = 2_500;
const ASSETS = ["style", "script", "image", "manifest"];

const isPage = (url) => url.origin === location.origin && /^[^/.]+$/.test(url.pathname.slice(SHELL.scope.length)) && url.pathname.startsWith(SHELL.scope);
// A captive portal or a proxy may answer 200 too: only our own page carries this header.
const isOurs = (response) => response.ok && !response.redirected && response.headers.has("Otklik-Page");
const bare = (url) => url.origin + url.pathname;
const after = (wait) => new Promise((resolve) => setTimeout(resolve, wait));

async function keepAsset(cache, address) {
  const response = await fetch(address, { cache: "reload" });
  if (!response.ok || response.redirected) throw new Error(`no shell: ${address}`);
  await cache.put(address, response);
}

// Returns whether the page is kept; a page that the server no longer has is not.
async function keepPage(cache, address) {
  const response = await fetch(address, { cache: "no-store" });
  if (isOurs(response)) await cache.put(address, response);
  else if (response.status !== 404) throw new Error(`no page: ${address}`);
  return response.ok;
}

async function keptPages() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return new Set(requests.flat().map((request) => new URL(request.url)).filter(isPage).map(bare));
}

// Whole or not at all: while anything of the new shell is missing, the old worker and its cache go on serving.
async function install() {
  const cache = await caches.open(CACHE);
  const pages = await keptPages();
  await Promise.all(SHELL.assets.map((address) => keepAsset(cache, address)));
  await Promise.all(Array.from(pages, (address) => keepPage(cache, address)));
  await self.skipWaiting();
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function freshPage(request, cache) {
  const response = await fetch(request);
  if (isOurs(response)) await cache.put(bare(new URL(request.url)), response.clone());
  return response;
}

async function servePage(event) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(bare(new URL(event.request.url)), { ignoreVary: true });
  const fresh = freshPage(event.request, cache);
  event.waitUntil(fresh.catch(() => {}));
  if (!kept) return fresh;
  const ours = fresh.then((response) => (isOurs(response) ? response : kept), () => kept);
  return Promise.race([ours, after(PATIENCE).then(() => kept)]);
}

async function serveAsset(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok && response.type === "basic") await cache.put(request, response.clone());
  return response;
}

async function answer({ data, ports }) {
  const address = bare(new URL(data.keep));
  const cache = await caches.open(CACHE);
  const kept = (await cache.match(address, { ignoreVary: true })) || (await keepPage(cache, address).catch(() => false));
  ports[0].postMessage(Boolean(kept));
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => event.waitUntil(answer(event)));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  if (request.mode === "navigate" && isPage(new URL(request.url))) event.respondWith(servePage(event));
  else if (ASSETS.includes(request.destination)) event.respondWith(serveAsset(request));
});
