from tests.browser.test_kiosk_keeper import a_code, pair, move, rows, Device, BEAT, mark, tap, skip_to_thanks
from tests.browser.conftest import *
import time
def test_zdbg(shop, kiosk):
    kiosk.on("console", lambda m: print("CONSOLE", m.text))
    kiosk.on("pageerror", lambda m: print("ERR", m))
    kiosk.on("request", lambda r: print(r.method, r.url))
    kiosk.on("response", lambda r: print(r.status, r.url, r.text()[:300] if "heartbeat" in r.url else ""))
    pair(kiosk, a_code(shop))
    kiosk.keyboard.press("Escape")
    [device] = rows(shop, Device)
    tap(kiosk, 1)
    move(shop, device.id, "exit")
    kiosk.evaluate(BEAT)
    kiosk.wait_for_timeout(1000)
    skip_to_thanks(kiosk)
    kiosk.click("h1")
    for i in range(8):
        kiosk.wait_for_timeout(1000)
        print(kiosk.url, kiosk.evaluate("""async () => { const o = window.otklik.outbox(); return JSON.stringify([(await o.recall('pairing')).point, document.documentElement.dataset, !!navigator.serviceWorker.controller]) }"""))
