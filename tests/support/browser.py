"""Chromium without a screen: what becomes of a page in it, and how it looks.

    with Browser() as browser:
        browser.open("page.html", width=400)
        browser.evaluate("document.title")
        browser.console, browser.requests    # what was said, and asked for, since open

It is told what to do over a pipe (Chrome DevTools Protocol, --remote-debugging-pipe).
"""
import base64
import json
import os
import shutil
import subprocess
import tempfile

CHROMIUM = shutil.which("chromium")
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe"]
HEIGHT = 800


class Browser:
    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        # The browser reads from its descriptor 3 and writes to 4.
        their_in, self.to = os.pipe()
        self.source, their_out = os.pipe()
        command = ["/bin/sh", "-c", 'exec "$@" 3<&%d 4>&%d' % (their_in, their_out), "sh", CHROMIUM, *OPTIONS,
                   f"--user-data-dir={self.profile.name}", "about:blank"]
        self.process = subprocess.Popen(command, pass_fds=(their_in, their_out), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(their_in)
        os.close(their_out)
        self.kept, self.number, self.session, self.events = b"", 0, None, []
        self.console, self.requests = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        os.close(self.to)
        os.close(self.source)
        self.profile.cleanup()

    def read(self):
        """The next message."""
        while b"\0" not in self.kept:
            more = os.read(self.source, 1 << 20)
            if not more:
                raise EOFError("the browser ended")
            self.kept += more
        message, self.kept = self.kept.split(b"\0", 1)
        return json.loads(message)

    def note(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.consoleAPICalled":
            self.console.append(str(params["args"]))
        elif method == "Runtime.exceptionThrown":
            self.console.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.console.append(params["entry"]["text"])
        self.events.append(method)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.note(answer)

    def wait_for(self, event):
        while event not in self.events:
            self.note(self.read())

    def open(self, path, width=1200, dark=False):
        self.console, self.requests, self.events = [], [], []
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=HEIGHT, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        self.wait_for("Page.loadEventFired")

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def screenshot(self, out):
        """All of the page, as PNG."""
        result = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        with open(out, "wb") as file:
            file.write(base64.b64decode(result["data"]))


def faults_of(browser, path, scripts=1):
    """What a page of ours must not do, at two widths: say something, ask for something, be wider than the window,
    have markup that it was not to have."""
    faults = []
    for width in (1200, 400):
        browser.open(path, width)
        faults += [f"console: {text}" for text in browser.console]
        faults += [f"request: {url[:80]}" for url in browser.requests
                   if not url.startswith("data:") and not url.endswith(os.path.basename(path))]
        wide = browser.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            faults.append(f"is {wide} pixels wide in a window of {width}")
        found = browser.evaluate("document.scripts.length")
        if found != scripts:
            faults.append(f"has {found} scripts, not {scripts}")
    return faults
