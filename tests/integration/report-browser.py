"""Opens the drift report's page in headless Chromium: report-browser.py PAGE SCREENSHOTS."""

import datetime
import os
import sys

from contrast import CONTRAST
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

page, screenshots = os.path.abspath(sys.argv[1]), sys.argv[2]
options = webdriver.ChromeOptions()
options.binary_location = "/usr/bin/chromium"
for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
    options.add_argument(argument)
options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def expect(condition, what):
    if not condition:
        raise SystemExit("FAIL: " + what)


def all_of(selector):
    return browser.find_elements(By.CSS_SELECTOR, selector)


def one(selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def column(section, number):
    return [cell.text for cell in all_of("#%s tbody td:nth-child(%d)" % (section, number)) if cell.is_displayed()]


def look(name, width, dark):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    expect(wide <= width, "%s: the page is %d wide, wider than the window" % (name, wide))
    height = browser.execute_script("return document.documentElement.scrollHeight")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    path = os.path.join(screenshots, "report-%s.png" % name)
    expect(browser.save_screenshot(path) and os.path.getsize(path) > 20000, name + ": no screenshot")
    return browser.execute_script("return getComputedStyle(document.body).backgroundColor")


try:
    browser.set_window_size(1280, 1000)
    # Without gliding: a click would hit what is there on the way.
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-reduced-motion", "value": "reduce"}]})
    browser.get("file://" + page)
    expect(browser.title.startswith("3 hosts became mixed"), "title: " + browser.title)
    expect(one("h1").text.startswith("3 hosts became mixed, 1 was mended"), "heading: " + one("h1").text)
    expect([t.text for t in all_of(".tile b")] == ["4", "5", "1", "2", "23"], "numbers at the top")
    expect([h.text for h in all_of("h2")][:5] == ["Dangerous now 4", "New 3", "Worse 1", "Closed 1", "Waived 1"], "sections")
    expect("KB900001" in one("#changes").text and "17" in one("#changes").text, "the patch is one line")

    names = [e.text for e in all_of("#new .host")]
    expect("<script>alert(1)</script>" in names, "the host's name is text: %s" % names)
    expect(len(all_of("script:not([type='application/json'])")) == 1 and len(all_of("script")) == 2 and not all_of("img"), "elements that a host's name made")

    evidence = one("#new details")
    expect(not one("#new dl").is_displayed(), "evidence is folded")
    evidence.find_element(By.TAG_NAME, "summary").click()
    expect("iisutil.dll" in evidence.text and "6.0.3790.0" in evidence.text, "evidence: " + evidence.text)

    head = one("#changes th:nth-child(3)")
    expect(head.get_attribute("aria-sort") is None and head.get_attribute("scope") == "col", "unsorted head")
    head.find_element(By.TAG_NAME, "button").click()
    first = [int(t.split()[0]) for t in column("changes", 3)]
    expect(head.get_attribute("aria-sort") == "ascending" and first == sorted(first), "ascending: %s" % first)
    head.find_element(By.TAG_NAME, "button").click()
    first = [int(t.split()[0]) for t in column("changes", 3)]
    expect(head.get_attribute("aria-sort") == "descending" and first[0] == 17 and first == sorted(first, reverse=True),
           "descending: %s" % first)

    one("#filter").send_keys("WEB-102")
    expect(column("new", 2) == ["web-102"], "filtered: %s" % column("new", 2))
    expect(not one("#waived").is_displayed(), "sections without a row are out of the way")
    expect(one("#shown").text == "3 of 16 rows" or one("#shown").text.endswith("rows"), one("#shown").text)
    expect(one("#found").text == "web-102 is mixed, 1 open finding", "what is known of the host: " + one("#found").text)
    for name, told in (("web-139", "web-139 is level, no open finding"), ("nobody-at-all", "No host is named so."),
                       ("<script>alert", "<script>alert(1)</script> is mixed, 1 open finding")):
        browser.execute_script("const f = document.getElementById('filter'); f.value = arguments[0]; f.dispatchEvent(new Event('input'))", name)
        expect(one("#found").text == told, "a host of which the page may say nothing else: " + one("#found").text)
    expect(not all_of("#found script"), "the name is text there, too")
    browser.execute_script("const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('input'))")
    expect(one("#waived").is_displayed() and len(column("new", 2)) == 2, "all rows are back")

    expect(len(all_of("#charts svg[role=img][aria-label]")) >= 3, "charts")
    expect("138" in one("#charts").text, "the legend has numbers")
    # Of every seventh night, counted back from now, its date stands below it, in this order.
    made = datetime.date.fromisoformat(all_of(".span time")[1].get_attribute("datetime")[:10])
    nights = [made - datetime.timedelta(days=days) for days in (27, 20, 13, 6)]
    dates = browser.execute_script("return [...document.querySelectorAll('#charts figure svg[role=img]')].map((f) => "
                                   "[...f.querySelectorAll('text.x')].sort((a, b) => a.getBoundingClientRect().left - b.getBoundingClientRect().left)"
                                   ".map((t) => t.textContent).filter((t) => t !== 'not known'))")
    expect(dates and all(d == ["%d %s" % (n.day, n.strftime("%b")) for n in nights] + ["now"] for d in dates), "dates of nights: %s" % dates)
    # On a phone, with as many levels as Windows has: whatever the matrix is scrolled to, the component and what is mixed are on top.
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True})
    seen = browser.execute_script("""
        const region = [...document.querySelectorAll("#matrix .scroll")].find((r) => r.textContent.includes("mixed"));
        const added = [...region.querySelectorAll("tr")].flatMap((row) => {
            const copies = Array.from({length: 12}, () => row.lastElementChild.cloneNode(true));
            row.append(...copies);
            return copies;
        });
        region.scrollIntoView();
        const wide = region.scrollWidth - region.clientWidth, answer = [wide > region.clientWidth];
        for (const at of [0, wide / 3, wide]) {
            region.scrollLeft = at;
            for (const s of ["th.held", "tbody td[class^=bad]", "tbody th"]) {
                const cell = region.querySelector(s), box = cell.getBoundingClientRect();
                answer.push(box.left >= 0 && box.right <= innerWidth && box.width > 20
                            && [0.1, 0.5, 0.9].every((x) => cell.contains(document.elementFromPoint(box.left + box.width * x, box.top + box.height / 2))));
            }
        }
        added.forEach((copy) => copy.remove());
        scrollTo(0, 0);
        return answer;""")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    expect(seen == [True] * 10, "the matrix scrolls what is mixed, or of which component, out of sight: %s" % seen)
    expect(all_of("#matrix th[scope=row]") and "mixed" in one("#matrix").text, "matrix")
    ids = [e.get_attribute("id") for e in all_of("[id]")]
    expect(len(ids) == len(set(ids)), "ids are unique")
    for link in all_of("a[href^='#']"):
        expect(link.get_attribute("href").split("#")[1] in ids, "a link leads nowhere: " + link.get_attribute("href"))

    light = look("desk-light", 1280, False)
    weak = browser.execute_script(CONTRAST)
    expect(not weak, "too little contrast: %s" % weak)
    dark = look("desk-dark", 1280, True)
    weak = browser.execute_script(CONTRAST)
    expect(not weak, "too little contrast in the dark: %s" % weak)
    expect(light != dark, "light and dark are the same")
    look("phone-light", 390, False)
    look("phone-dark", 390, True)

    complaints = [entry["message"] for entry in browser.get_log("browser")]
    expect(not complaints, "the browser complains: %s" % complaints)
finally:
    browser.quit()
