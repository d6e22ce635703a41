"use strict";
// What lets a page work without a network, and come back to what is new when there is one and nobody stands before it.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const PAGE_LOCK = "otklik-kiosk-page";
  const SHELL_LOCK = "otklik-shell-";
  const NEWS_EVERY = 30 * 60_000;
  const TRY_AGAIN = 10_000;
  const LOOK_EVERY = 500;
  const root = document.documentElement;
  const workers = navigator.serviceWorker;
  const wanted = [];
  let kiosk = null;
  let watching = false;
  let known = null;
  let idle = () => false;
  let looking = 0;

  // Each open page holds the lock, shared. Where none holds it, nobody is answering any more: what a reload or a
  // power cut left open goes out as it is.
  otklik.adoptOrphans = async (outbox) => {
    if (!navigator.locks) return;
    await navigator.locks.request(PAGE_LOCK, { ifAvailable: true }, (lock) => lock && outbox.closeAll());
    hold(PAGE_LOCK);
  };

  // Resolves once this page holds the lock, which it does to its end.
  const hold = (name) => new Promise((resolve) => {
    navigator.locks.request(name, { mode: "shared" }, () => resolve() || new Promise(() => {}));
  });

  function askToKeep(worker, address) {
    return new Promise((resolve, reject) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => (data ? resolve() : reject(new Error("not kept")));
      worker.postMessage({ keep: address }, [port2]);
    });
  }

  // A page stays open for weeks, and a reload does not bring a new worker in: it comes when the page asks for it.
  function switchTo(worker) {
    whenIdle(() => worker.postMessage("switch"));
  }

  function watchWorkers(registration) {
    if (watching) return;
    watching = true;
    let ruled = Boolean(workers.controller);
    workers.addEventListener("controllerchange", () => {
      if (ruled) whenIdle(() => location.reload());
      ruled = true;
    });
    if (registration.waiting) switchTo(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const { installing } = registration;
      installing.addEventListener("statechange", () => registration.waiting === installing && switchTo(installing));
    });
  }

  // Resolves once this page opens without a network and taps outlive it; on plain http that never comes.
  otklik.prepareForOffline = async (data, outbox) => {
    const first = !kiosk;
    kiosk = data;
    if (!workers) return new Promise(() => {});
    try {
      // By it the worker tells that a page of this version lives.
      if (first && navigator.locks) await hold(SHELL_LOCK + kiosk.shell);
      await outbox.tell();
      const registration = await workers.register(kiosk.service_worker, { scope: kiosk.scope });
      watchWorkers(registration);
      await askToKeep((await workers.ready).active, location.href);
      if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
      return undefined;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN));
      return otklik.prepareForOffline(data, outbox);
    }
  };

  // One at a time, and never under the hands of a shopper or of staff.
  function whenIdle(work) {
    wanted.push(work);
    looking = looking || setInterval(() => {
      if (!idle() || root.dataset.keeper) return;
      const next = wanted.pop();
      wanted.length = 0;
      clearInterval(looking);
      looking = 0;
      next();
    }, LOOK_EVERY);
  }

  // A new release: the worker fetches it whole, and then takes over. Without one a reload brings it.
  async function renew() {
    const registration = workers && (await workers.getRegistration(kiosk.scope));
    if (registration) await registration.update();
    if (!registration || !(registration.installing || registration.waiting)) whenIdle(() => location.reload());
  }

  otklik.lookForNews = async () => {
    try {
      const { headers } = await fetch(location.pathname, { cache: "no-store", credentials: "omit" });
      const [page, shell] = [headers.get("Otklik-Page"), headers.get("Otklik-Shell")];
      if (shell && shell !== kiosk.shell) await renew();
      else if (page && page !== known) whenIdle(() => location.reload());
    } catch {
      // No network: next time.
    }
  };

  otklik.watchForNews = (page, isIdle) => {
    known = page;
    idle = isIdle;
    setInterval(otklik.lookForNews, NEWS_EVERY);
  };

  // Leaves only for a page that is there, and will be without a network.
  async function leaveFor(address) {
    try {
      if (workers && workers.controller) await askToKeep(workers.controller, address);
      else if (!(await fetch(address, { cache: "no-store", credentials: "omit" })).headers.has("Otklik-Page")) throw new Error("no page");
      location.replace(address);
    } catch {
      setTimeout(() => otklik.moveTo(address), TRY_AGAIN);
    }
  }

  otklik.whenIdle = whenIdle;
  otklik.moveTo = (address) => whenIdle(() => leaveFor(new URL(address, location.href).href));
})();
