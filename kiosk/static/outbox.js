"use strict";
// What this device has collected and the server has not yet confirmed. A record stays until the server's word on it.
// items: {id, open, touched_at, item}; `open` while the shopper may still add to it; `item` is what will be sent.
// quarantine: {id, error, refused_at, item}. device: {key, value}: what the device remembers of itself.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const NAME = "otklik-kiosk";
  const TORN = "otklik-kiosk-torn";
  const VERSION = 2;
  const KEYS = { items: "id", quarantine: "id", device: "key" };
  // Longer than the page's own 30 s, so that another tab never sends what a shopper is still answering.
  const ABANDONED = 40_000;
  // Together more than Chromium's store writes into one log; each small enough to go there, and of random bytes, for
  // others would be packed.
  const FILLERS = 100;
  const FILLER = 50_000;
  const MEND_WAIT = 2_000;
  // Small steps: a tap waits for one of them at most, however much lies in the queue.
  const STEP = 200;

  // Without a version it opens what is there: of a newer page, or one that a full disk keeps from being raised.
  function open(lost, version) {
    return new Promise((resolve, reject) => {
      const request = version ? indexedDB.open(NAME, version) : indexedDB.open(NAME);
      request.onupgradeneeded = () => {
        const { result: database, transaction } = request;
        if (!version) return transaction.abort();
        for (const [name, keyPath] of Object.entries(KEYS)) {
          if (!database.objectStoreNames.contains(name)) database.createObjectStore(name, { keyPath });
        }
        return undefined;
      };
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const database = request.result;
        database.onclose = lost;
        database.onversionchange = () => {
          database.close();
          lost();
        };
        resolve(database);
      };
    });
  }

  const connect = (lost) => open(lost, VERSION).catch(() => open(lost));
  const abandoned = ({ touched_at: at }) => Math.abs(Date.now() - at) > ABANDONED;

  // Whether the store may be torn, outside of it: "1" or "", over reloads too.
  function flag(value) {
    try {
      if (value !== undefined) localStorage.setItem(TORN, value);
      return localStorage.getItem(TORN);
    } catch {
      return null;
    }
  }

  otklik.outbox = (changed = () => {}) => {
    const channel = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : null;
    const listeners = [];
    let connection = null;
    let telling = null;
    let stale = false;
    let torn = Boolean(flag());
    let mending = 0;

    function connected() {
      connection = connection || connect(() => (connection = null));
      connection.catch(() => (connection = null));
      return connection;
    }

    // Resolves with what `work` hands to its second argument, once the transaction is on disk.
    async function transact(mode, names, work, again = true) {
      const database = await connected();
      let transaction;
      try {
        transaction = database.transaction(names, mode, { durability: "strict" });
      } catch (problem) {
        // Closed a moment ago, for another tab raises the schema: it can be opened again.
        if (!again || problem.name !== "InvalidStateError") throw problem;
        connection = null;
        return transact(mode, names, work, false);
      }
      return new Promise((resolve, reject) => {
        let result;
        transaction.oncomplete = () => {
          if (torn && mode === "readwrite") mendSoon();
          resolve(result);
        };
        transaction.onabort = () => {
          if (mode === "readwrite" && (transaction.error || {}).name !== "ConstraintError") tear("1");
          reject(transaction.error);
        };
        work(Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)])), (value) => (result = value));
      });
    }

    // A disk that was full leaves half a record in the log of Chromium's store, and at a later start the store would
    // take itself for broken and begin empty. Once there is room again, so much is written that it begins a new log.
    async function mend() {
      const keys = Array.from({ length: FILLERS }, (_, number) => `mend-${number}`);
      try {
        await transact("readwrite", ["device"], ({ device }) => {
          for (const key of keys) device.put({ key, value: crypto.getRandomValues(new Uint8Array(FILLER)) });
        });
        tear("");
      } catch {
        // Still no room: with the next write that succeeds.
      }
      await transact("readwrite", ["device"], ({ device }) => keys.forEach((key) => device.delete(key))).catch(() => {});
      mending = 0;
    }

    function tear(value) {
      torn = Boolean(value);
      flag(value);
    }

    function mendSoon() {
      mending = mending || setTimeout(mend, MEND_WAIT);
    }

    const ask = (name, question) => transact("readonly", [name], (stores, done) => {
      question(stores[name]).onsuccess = ({ target }) => done(target.result);
    });

    // Shows each record of a store, the oldest first, until `visit` returns false.
    async function walk(name, visit) {
      let range = null;
      for (;;) {
        const records = await ask(name, (store) => store.getAll(range, STEP));
        if (!records.every((record) => visit(record) !== false) || records.length < STEP) return;
        range = IDBKeyRange.lowerBound(records[STEP - 1].id, true);
      }
    }

    const count = (name = "items") => ask(name, (store) => store.count());

    // Counts anew and resolves with the count; where it is asked for meanwhile, once more.
    function tell() {
      stale = true;
      telling = telling || (async () => {
        let found = 0;
        while (stale) {
          stale = false;
          found = await count();
          changed(found);
        }
        return found;
      })().finally(() => (telling = null));
      return telling;
    }

    function announce(results = []) {
      if (channel) channel.postMessage({ results });
      return tell();
    }

    // The device's number of the item is given in the transaction that keeps it: none is given twice, none is left out.
    async function keep(item) {
      try {
        await transact("readwrite", ["items", "device"], ({ items, device }) => {
          device.get("sequence").onsuccess = ({ target: { result } }) => {
            item.sequence = (result ? result.value : 0) + 1;
            device.put({ key: "sequence", value: item.sequence });
            items.add({ id: item.id, open: true, touched_at: Date.now(), item });
          };
        });
      } catch (problem) {
        delete item.sequence;
        throw problem;
      }
      announce().catch(() => {});
    }

    // A record that was closed meanwhile may be on its way: it stays as it was sent.
    const change = (ids, edit) => transact("readwrite", ["items"], ({ items }) => {
      for (const id of ids) {
        items.get(id).onsuccess = ({ target: { result: record } }) => {
          const edited = record && record.open && edit(record);
          if (edited) items.put(edited);
        };
      }
    });

    const revise = (id, part) => change([id], (record) => ({ ...record, touched_at: Date.now(), item: { ...record.item, ...part } }));
    const touch = (id) => change([id], (record) => ({ ...record, touched_at: Date.now() }));
    const close = (id) => change([id], (record) => ({ ...record, open: false }));

    async function closeAll() {
      const ids = [];
      await walk("items", ({ id, open: unfinished }) => void (unfinished && ids.push(id)));
      await change(ids, (record) => ({ ...record, open: false }));
    }

    // Closes what is still abandoned; returns the ids of what a shopper has come back to. A full disk refuses the
    // closing, and then it goes out as it is.
    async function seal(ids) {
      const alive = new Set();
      if (!ids.length) return alive;
      await change(ids, (record) => (abandoned(record) ? { ...record, open: false } : void alive.add(record.id))).catch(() => {});
      return alive;
    }

    // The oldest items for which `bearer` names one token, with it; null leaves an item where it is.
    async function take(limit, bearer) {
      const taken = [];
      let token = null;
      await walk("items", (record) => {
        if (record.open && !abandoned(record)) return undefined;
        const own = bearer(record.item);
        if (own === null || (taken.length && own !== token)) return undefined;
        token = own;
        return taken.push(record) < limit;
      });
      const alive = await seal(taken.filter((record) => record.open).map(({ id }) => id));
      return { token, items: taken.filter(({ id }) => !alive.has(id)).map(({ item }) => item) };
    }

    // Sets aside, on this device, what the server refused.
    const quarantine = (refused) => transact("readwrite", ["items", "quarantine"], ({ items, quarantine: aside }) => {
      for (const { id, error } of refused) {
        items.get(id).onsuccess = ({ target: { result } }) => {
          if (result) aside.put({ id, error, refused_at: Date.now(), item: result.item });
          items.delete(id);
        };
      }
    });

    // Forgets what the server stored or knew already; returns whether what it refused found room in quarantine.
    async function settle(results) {
      const refused = results.filter(({ status }) => status === "rejected");
      const known = results.filter(({ status }) => status !== "rejected");
      if (known.length) await transact("readwrite", ["items"], ({ items }) => known.forEach(({ id }) => items.delete(id)));
      const room = !refused.length || (await quarantine(refused).then(() => true, () => false));
      for (const listener of listeners) results.forEach(listener);
      await announce(results);
      return room;
    }

    // Forgets an item whatever became of it: what was typed is before the shopper again.
    async function discard(id) {
      await transact("readwrite", ["items", "quarantine"], ({ items, quarantine: aside }) => {
        items.delete(id);
        aside.delete(id);
      });
      await announce();
    }

    // What stands in quarantine goes into the queue once more.
    async function readmit() {
      await transact("readwrite", ["items", "quarantine"], ({ items, quarantine: aside }) => {
        aside.openCursor().onsuccess = ({ target: { result: cursor } }) => {
          if (!cursor) return;
          const { id, item } = cursor.value;
          items.put({ id, open: false, touched_at: Date.now(), item });
          cursor.delete();
          cursor.continue();
        };
      });
      await announce();
    }

    async function all(name) {
      const records = [];
      await walk(name, (record) => void records.push(record));
      return records;
    }

    async function oldest() {
      const [record] = await ask("items", (store) => store.getAll(null, 1));
      return record ? record.item.occurred_at : null;
    }

    const recall = async (key) => ((await ask("device", (store) => store.get(key))) || {}).value;
    const remember = (key, value) => transact("readwrite", ["device"], ({ device }) => device.put({ key, value }));

    // Told of each result once it is settled, in every tab.
    const onSettled = (listener) => void listeners.push(listener);

    if (channel) {
      channel.onmessage = ({ data: { results } }) => {
        for (const listener of listeners) (results || []).forEach(listener);
        tell().catch(() => {});
      };
    }
    return { keep, revise, touch, close, closeAll, take, settle, discard, readmit, all, count, oldest, recall, remember, tell, onSettled };
  };
})();
