"""Walks the pages of 'evenkeel serve' in headless Chromium: pages-browser.py ADDRESS SCREENSHOTS.

Every page in three widths, light and dark: no horizontal scrolling, enough contrast, landmarks, names of controls, and the
keyboard reaches every link. With axe-core's axe.min.js in $AXE (npm pack axe-core) its rules are asked, too.
"""

import json
import os
import sys
import time
import urllib.request

from contrast import CONTRAST
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

address, screenshots = sys.argv[1], sys.argv[2]
axe = open(os.environ["AXE"], encoding="utf-8").read() if os.environ.get("AXE") else None
options = webdriver.ChromeOptions()
options.binary_location = "/usr/bin/chromium"
for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
    options.add_argument(argument)
options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
browser.set_page_load_timeout(30)


def expect(condition, what):
    if not condition:
        raise SystemExit("FAIL: " + what)


def one(selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def all_of(selector):
    return browser.find_elements(By.CSS_SELECTOR, selector)


# What a screen reader needs and a page easily lacks.
STRUCTURE = """
const wrong = [];
const count = (s) => document.querySelectorAll(s).length;
if (count("main") !== 1 || count("header") !== 1 || count("footer") !== 1 || count("h1") !== 1) wrong.push("landmarks");
if (document.documentElement.lang !== "en" || !document.title) wrong.push("language or title");
const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
if (new Set(ids).size !== ids.length) wrong.push("ids repeat");
const navs = [...document.querySelectorAll("nav")].map((e) => e.getAttribute("aria-label"));
if (navs.includes(null) || new Set(navs).size !== navs.length) wrong.push("navigation without a name of its own: " + navs);
for (const e of document.querySelectorAll("input:not([type=hidden]), select"))
  if (!e.getAttribute("aria-label") && e.labels.length === 0) wrong.push("no label: " + e.outerHTML);
for (const e of document.querySelectorAll("a, button, summary")) if (!e.textContent.trim()) wrong.push("no text: " + e.outerHTML);
for (const e of document.querySelectorAll("th")) if (!e.scope) wrong.push("a head without scope");
for (const e of document.querySelectorAll("a[href^='#']")) if (!document.getElementById(e.getAttribute("href").slice(1))) wrong.push("leads nowhere: " + e.href);
let level = 1;
for (const e of document.querySelectorAll("h1, h2, h3")) { if (+e.tagName[1] > level + 1) wrong.push("heading skipped"); level = +e.tagName[1]; }
return wrong;
"""


def show(width, dark):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})


def shoot(name, width):
    height = min(browser.execute_script("return document.documentElement.scrollHeight"), 4000)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    path = os.path.join(screenshots, "page-%s.png" % name)
    expect(browser.save_screenshot(path) and os.path.getsize(path) > 5000, name + ": no screenshot")


def look(name, path):
    grounds = set()
    for width in (360, 800, 1400):
        for dark in (False, True):
            what = "%s, %d wide, %s" % (path, width, "dark" if dark else "light")
            show(width, dark)
            browser.get(address + path)
            wide = browser.execute_script("return document.documentElement.scrollWidth")
            expect(wide <= width, "%s: it is %d wide" % (what, wide))
            weak = browser.execute_script(CONTRAST)
            expect(not weak, "%s: too little contrast: %s" % (what, weak))
            wrong = browser.execute_script(STRUCTURE)
            expect(not wrong, "%s: %s" % (what, wrong))
            grounds.add(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
            if axe and width != 800:
                browser.execute_script(axe)
                found = browser.execute_async_script("const done = arguments[0]; axe.run().then((r) => done(r.violations));")
                expect(not found, "%s: axe: %s" % (what, [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found]))
            shoot("%s-%d-%s" % (name, width, "dark" if dark else "light"), width)
    expect(len(grounds) == 2, path + ": light and dark are the same")


def tab_through(path):
    """Presses Tab until it comes round; every link, button and field must have been reached, and shown that it is."""
    browser.get(address + path)
    wanted = browser.execute_script("""
        return [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary, [tabindex]")].map((e, i) =>
            { e.dataset.test = i; return e.checkVisibility() ? i : -1; }).filter((i) => i >= 0)""")
    reached, body = set(), one("body")
    for _ in range(len(wanted) + 2):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        at = browser.execute_script("""
            const e = document.activeElement, s = getComputedStyle(e);
            return [e.dataset.test ?? "", s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1];""")
        if at[0] == "":
            break
        reached.add(int(at[0]))
        expect(at[1], path + ": the focus can't be seen on " + browser.execute_script("return document.activeElement.outerHTML"))
    expect(body is not None and reached == set(wanted), "%s: the keyboard does not reach %s" % (path, [
        browser.execute_script("return document.querySelector('[data-test=\"%d\"]').outerHTML" % i) for i in set(wanted) - reached]))


def asked(path):
    with urllib.request.urlopen(address + path, timeout=20) as answer:
        return json.load(answer)


def expect_heading(wanted):
    """Waits for the page that a click or a form leads to."""
    deadline, seen = time.monotonic() + 30, ""
    while time.monotonic() < deadline:
        try:
            seen = one("h1").text
        except WebDriverException:  # of the page before, or not there yet
            seen = ""
        if seen == wanted:
            return
        time.sleep(0.1)
    raise SystemExit("FAIL: heading: wanted '%s', saw '%s' at %s" % (wanted, seen, browser.current_url))


def links_from(path):
    browser.get(address + path)
    return {a.get_attribute("href") for a in all_of("a[href]") if a.get_attribute("href").startswith(address)}


try:
    mixed = next(h for h in asked("/fleet?format=json")["hosts"] if h["host"] == "web-101")
    host = "/host?id=" + mixed["host_id"]
    pages = {"fleet": "/fleet", "hosts": "/fleet?page=1", "host": host, "files": host + "&part=files", "history": host + "&part=history",
             "services": "/host?id=%s&part=services" % next(h["host_id"] for h in asked("/fleet?format=json&search=srv-05")["hosts"]),
             "file": "/file?name=iisutil.dll", "patch": "/patch?code=KB900001", "patches": "/patch",
             "findings": "/findings", "refused": "/fleet?page=0"}
    for extra in sys.argv[3:]:
        name, path = extra.split("=", 1)
        pages[name] = path
    for name, path in pages.items():
        look(name, path)

    show(1400, False)
    for path in ("/fleet", host, "/findings"):
        tab_through(path)
    seen = set()
    for path in pages.values():
        if path != "/fleet?page=0":
            seen |= {link.split("#")[0] for link in links_from(path)}
    for link in sorted(seen):
        with urllib.request.urlopen(link, timeout=20) as answer:
            expect(answer.status == 200, "a link leads nowhere: " + link)
    expect(len(seen) > 60, "few links: %d" % len(seen))

    # From the fleet to a file's proof without a pointing device or a script.
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(address + "/fleet")
    one(".narrow input[name=search]").send_keys("web-101" + Keys.ENTER)
    expect_heading("Hosts named like ‘web-101’")
    one("td[data-name=Host] a").send_keys(Keys.ENTER)
    expect_heading("web-101 is mixed")
    one("#components a").send_keys(Keys.ENTER)
    expect_heading("web-101 is mixed, its files")
    expect("iisutil.dll" in one("#files tbody tr").text and "RTM" in one("#files tbody tr").text, "the file that is off comes first")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    complaints = [e["message"] for e in browser.get_log("browser") if "400" not in e["message"] and "favicon" not in e["message"]]
    expect(not complaints, "the browser complains: %s" % complaints)
finally:
    browser.quit()
