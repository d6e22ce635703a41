"use strict";
// What lets a page work without a network, and come back to what is new when there is one.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const PAGE_LOCK = "otklik-kiosk-page";
  const NEWS_EVERY = 30 * 60_000;
  const TRY_AGAIN = 10_000;

  // Each open page holds the lock, shared. Where none holds it, nobody is answering any more: what a reload or a
  // power cut left open goes out as it is.
  otklik.adoptOrphans = async (outbox) => {
    if (!navigator.locks) return;
    await navigator.locks.request(PAGE_LOCK, { ifAvailable: true }, (lock) => lock && outbox.closeAll());
    navigator.locks.request(PAGE_LOCK, { mode: "shared" }, () => new Promise(() => {}));
  };

  function askToKeep(worker) {
    return new Promise((resolve, reject) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => (data ? resolve() : reject(new Error("not kept")));
      worker.postMessage({ keep: location.href }, [port2]);
    });
  }

  // Resolves once this page opens without a network and taps outlive it; on plain http that never comes.
  otklik.prepareForOffline = async (kiosk, outbox) => {
    if (!("serviceWorker" in navigator)) return new Promise(() => {});
    try {
      await outbox.tell();
      await navigator.serviceWorker.register(kiosk.service_worker, { scope: kiosk.scope });
      await askToKeep((await navigator.serviceWorker.ready).active);
      if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
      return undefined;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN));
      return otklik.prepareForOffline(kiosk, outbox);
    }
  };

  // A kiosk stays open for weeks: a new form or a new release comes in while nobody stands before it.
  otklik.watchForNews = (known, idle) => setInterval(async () => {
    try {
      const response = await fetch(location.pathname, { cache: "no-store", credentials: "omit" });
      const version = response.headers.get("Otklik-Page");
      if (version && version !== known && idle()) location.reload();
    } catch {
      // No network: next time.
    }
  }, NEWS_EVERY);
})();
