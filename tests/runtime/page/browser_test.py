#!/usr/bin/env python3
"""See that a page works in a browser: nothing is asked for, hostile text does nothing, it is as wide as the window,
tables are sorted, and what is not of the page's own making does not run.

usage: browser_test.py BUILD_DIR
"""
import os
import sys
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TESTS, "support"))
import browser as chromium  # noqa: E402

PICTURE = os.path.join(TESTS, "fuzz/pictures/rgb.jpg")
SKIPPED = 77


def column(browser, number):
    return browser.evaluate(f"[...document.querySelectorAll('tbody tr')].map(r => r.cells[{number}].textContent)")


def press(browser, number):
    browser.evaluate(f"document.querySelectorAll('th')[{number}].click()")
    return column(browser, number)


def check_sorting(browser):
    """Numbers begin with the greatest, texts with the first; what is missing comes last."""
    faults = []
    for number, expected in ((1, ["100.0", "61.5", "9.0", "-3.0", ""]), (1, ["-3.0", "9.0", "61.5", "100.0", ""]),
                             (2, ["100000", "50000", "33333", "25000", "20000"])):
        found = press(browser, number)
        if found != expected:
            faults.append(f"sorted by column {number}: {found}, not {expected}")
    if press(browser, 0)[-1] != "" or press(browser, 0)[-1] != "":
        faults.append("an empty cell does not come last")
    return faults


def check_text(browser):
    faults = []
    if not browser.evaluate("document.title").startswith("Gallery <script>"):
        faults.append("the title is another")
    links = browser.evaluate("[...document.querySelectorAll('nav a')].map(a => a.textContent.slice(0, 6))")
    if links != ["Table ", "Charts", "Cards"]:
        faults.append(f"links to sections: {links}")
    if browser.evaluate("[...document.images].filter(i => i.naturalWidth > 0).length") != 4:
        faults.append("pictures are missing")
    if browser.evaluate("document.querySelectorAll('[onload]').length"):
        faults.append("an attribute came out of a text")
    return faults


def check_policy(browser):
    """Even what gets into the page does not run."""
    browser.evaluate("(() => { const s = document.createElement('script'); s.textContent = 'document.title = \"hurt\"';"
                     "document.body.append(s); const i = new Image(); i.src = 'http://127.0.0.1:9/x.png';"
                     "document.body.append(i); })()")
    if browser.evaluate("document.title") == "hurt":
        return ["a script that was put into the page ran"]
    return [] if any("Content Security Policy" in text for text in browser.console) else ["no policy holds"]


def check_colours(browser, path):
    colours = set()
    for dark in (False, True):
        browser.open(path, dark=dark)
        colours.add(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    return [] if len(colours) == 2 else ["dark is as light"]


def main():
    if not chromium.CHROMIUM:
        print("browser_test: chromium is missing")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as work, chromium.Browser() as browser:
        page = os.path.join(work, "page.html")
        gallery = os.path.join(sys.argv[1], "tests/runtime/page/gallery")
        if os.spawnv(os.P_WAIT, gallery, [gallery, page, PICTURE]) != 0:
            sys.exit("browser_test: gallery failed")
        faults = (chromium.faults_of(browser, page) + check_text(browser) + check_sorting(browser)
                  + check_policy(browser) + check_colours(browser, page))
    for fault in faults:
        print(f"browser_test: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
