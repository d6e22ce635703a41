"use strict";
// What this device has collected and the server has not yet confirmed. A record stays until the server's word on it.
// Record: {id, open, touched_at, item}; `open` while the shopper may still add to it; `item` is what will be sent.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const NAME = "otklik-kiosk";
  const STORES = ["items", "quarantine"];
  // Longer than the page's own 30 s, so that another tab never sends what a shopper is still answering.
  const ABANDONED = 40_000;

  function connect(lost) {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => STORES.forEach((name) => request.result.createObjectStore(name, { keyPath: "id" }));
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        request.result.onclose = lost;
        request.result.onversionchange = () => {
          request.result.close();
          lost();
        };
        resolve(request.result);
      };
    });
  }

  otklik.outbox = (changed) => {
    let connection = null;
    const channel = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : null;

    function connected() {
      connection = connection || connect(() => (connection = null));
      connection.catch(() => (connection = null));
      return connection;
    }

    // Resolves with what `work` hands to its second argument, once the transaction is on disk.
    async function transact(mode, work) {
      const database = await connected();
      return new Promise((resolve, reject) => {
        const transaction = database.transaction(STORES, mode, { durability: "strict" });
        let result;
        transaction.oncomplete = () => resolve(result);
        transaction.onabort = () => reject(transaction.error);
        work(Object.fromEntries(STORES.map((name) => [name, transaction.objectStore(name)])), (value) => (result = value));
      });
    }

    async function tell() {
      changed(await count());
    }

    function announce() {
      if (channel) channel.postMessage("changed");
      return tell();
    }

    const count = () => transact("readonly", ({ items }, done) => {
      const request = items.count();
      request.onsuccess = () => done(request.result);
    });

    async function keep(item) {
      await transact("readwrite", ({ items }) => items.add({ id: item.id, open: true, touched_at: Date.now(), item }));
      announce().catch(() => {});
    }

    // A record that was closed meanwhile may be on its way: it stays as it was sent.
    const change = (id, edit) => transact("readwrite", ({ items }) => {
      const request = items.get(id);
      request.onsuccess = () => {
        const record = request.result;
        if (record && record.open) items.put(edit(record));
      };
    });

    const revise = (id, part) => change(id, (record) => ({ ...record, touched_at: Date.now(), item: { ...record.item, ...part } }));
    const touch = (id) => change(id, (record) => ({ ...record, touched_at: Date.now() }));
    const close = (id) => change(id, (record) => ({ ...record, open: false }));

    const closeAll = () => transact("readwrite", ({ items }) => {
      const request = items.openCursor();
      request.onsuccess = () => {
        const cursor = request.result;
        if (!cursor) return;
        if (cursor.value.open) cursor.update({ ...cursor.value, open: false });
        cursor.continue();
      };
    });

    // The oldest items of one point, without the points and ids in `aside`; closes what was abandoned.
    const take = (limit, aside) => transact("readwrite", ({ items }, done) => {
      const taken = [];
      done(taken);
      const request = items.openCursor();
      request.onsuccess = () => {
        const cursor = request.result;
        if (!cursor || taken.length === limit) return;
        const record = cursor.value;
        const abandoned = record.open && Math.abs(Date.now() - record.touched_at) > ABANDONED;
        const due = abandoned || !record.open;
        const together = !taken.length || taken[0].point === record.item.point;
        if (due && together && !aside.has(record.item.point) && !aside.has(record.id)) {
          if (abandoned) cursor.update({ ...record, open: false });
          taken.push(record.item);
        }
        cursor.continue();
      };
    });

    // Forgets what the server stored or knew already; sets aside, on this device, what it refused.
    async function settle(results) {
      await transact("readwrite", ({ items, quarantine }) => {
        for (const { id, status, error } of results) {
          if (status === "rejected") {
            const request = items.get(id);
            request.onsuccess = () => {
              if (request.result) quarantine.put({ id, error, refused_at: Date.now(), item: request.result.item });
              items.delete(id);
            };
          } else if (status === "stored" || status === "duplicate") {
            items.delete(id);
          }
        }
      });
      await announce();
    }

    if (channel) channel.onmessage = () => tell().catch(() => {});
    return { keep, revise, touch, close, closeAll, take, settle, tell };
  };
})();
