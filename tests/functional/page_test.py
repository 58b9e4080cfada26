"""The page at `/` in a real browser, without a display. Pictures of failures stay in $VENVOY_SCREENSHOTS, or beside the
build."""

import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

from governance_harness import GovernanceTest
from harness import PROJECT, WAITING_WORKFLOW, WORKFLOW, main, wait_until


class Browser:
    """Chromium through the WebDriver protocol: chromedriver speaks plain JSON over HTTP."""

    def __init__(self, test):
        self.test = test
        self.log = open(test.folder / "chromedriver.log", "w")
        self.process = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in self.process.stdout:
            if found := re.search(r"successfully on port (\d+)", line):
                self.port = int(found.group(1))
                break
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                            f"--user-data-dir={test.folder / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE "
                            "127.0.0.1"]}
        body = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options,
                                                 "goog:loggingPrefs": {"browser": "ALL"}}}}
        self.session = ""
        self.session = "/session/" + self.call("POST", "/session", body)["sessionId"]

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, self.session + path, json.dumps(body or {}) if method == "POST" else None,
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        value = json.loads(answer.read())["value"]
        connection.close()
        if answer.status != 200:
            raise AssertionError(f"{method} {path}: {value}")
        return value

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, selector):
        return self.run("const found = document.querySelector(arguments[0]); return found ? found.innerText : null", selector)

    def press(self, *keys):
        actions = [each for key in keys for each in ({"type": "keyDown", "value": key}, {"type": "keyUp", "value": key})]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def resize(self, width, height):
        self.call("POST", "/window/rect", {"width": width, "height": height})

    def problems(self):
        return [entry for entry in self.call("POST", "/se/log", {"type": "browser"}) if entry["level"] == "SEVERE"]

    def screenshot(self, name):
        import base64

        folder = pathlib.Path(os.environ.get("VENVOY_SCREENSHOTS", PROJECT / "build" / "screenshots"))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(base64.b64decode(self.call("GET", "/screenshot")))

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait(30)
            self.process.stdout.close()
            self.log.close()


class Page(GovernanceTest):
    def setUp(self):
        super().setUp()
        self.browser = Browser(self)
        self.addCleanup(self.browser.close)

    def run(self, result=None):
        # The picture is taken while the browser is there: cleanups come later.
        method = getattr(self, self._testMethodName)

        def with_picture():
            try:
                method()
            except BaseException:
                self.browser.screenshot(self._testMethodName)
                raise

        setattr(self, self._testMethodName, with_picture)
        return super().run(result)

    def see(self, selector, words, seconds=60):
        return wait_until(lambda: words in (self.browser.text(selector) or ""), f"{words!r} in {selector}: "
                          f"{self.browser.text(selector)!r}", seconds)

    def test_the_page(self):
        self.add_general()
        plugin = self.tiny()
        daemon = self.daemon()
        daemon.update({"add_node": self.rule("deny", reason="<b>not today</b>"), "add_block": self.rule("raise")})
        daemon.check("add_node")
        daemon.check("add_block")
        browser = self.browser
        browser.open(f"http://127.0.0.1:{daemon.port}/?token={daemon.token}")
        self.assertEqual(browser.call("GET", "/url"), f"http://127.0.0.1:{daemon.port}/")
        self.see("#rules-table", "acme.rule:1-stable")
        self.see("#rules-table", "http:token")
        self.see("#rules-table", "no rule: allowed")
        self.see("#decisions-table", "<b>not today</b>")  # a text, never HTML
        self.see("#decisions-table", "ValueError: the policy is confused")
        self.see("#now-empty", "Nothing is running.")
        # A run, while it goes on.
        text = WAITING_WORKFLOW
        for word, value in (("@REFERENCE@", plugin.reference(plugin.head())), ("@STEP@", "wait"),
                            ("@FOLDER@", str(self.folder)), ("@CHILDREN@", "false"), ("@OUTPUT@", "success")):
            text = text.replace(word, value)
        run = daemon.post("/v1/runs", {"workflow": text}).json["run"]
        wait_until((self.folder / "started").exists, "the step", 120)
        self.see("#now-runs", run)
        self.see("#now-runs li[data-step=wait]", "running")
        self.assertGreater(wait_until(lambda: browser.run(
            "const image = document.querySelector('#now-runs img'); return image && image.complete ? image.naturalWidth : 0"),
            "the graph"), 0)
        (self.folder / "release").touch()
        self.see("#history-table", "succeeded")
        self.see("#now-empty", "Nothing is running.")
        # By keyboard alone: the first stop leads past the navigation, and the run's button shows it.
        browser.run("document.querySelector('#history-table button').focus()")
        browser.press("\ue007")
        self.see("#run-detail", "Output success")
        self.assertEqual(browser.run("return document.activeElement.id"), "run-detail")
        browser.run("document.body.focus(); window.scrollTo(0, 0)")
        # The filter.
        browser.run("const list = document.querySelector('#decision-filter'); list.value = 'error';"
                    "list.dispatchEvent(new Event('change'))")
        wait_until(lambda: "not today" not in browser.text("#decisions-table"), "the filter")
        self.assertEqual(browser.problems(), [])

    def test_cancelling_from_the_page(self):
        plugin = self.tiny()
        daemon = self.daemon("--trust-loopback")
        text = WAITING_WORKFLOW
        for word, value in (("@REFERENCE@", plugin.reference(plugin.head())), ("@STEP@", "wait"),
                            ("@FOLDER@", str(self.folder)), ("@CHILDREN@", "false"), ("@OUTPUT@", "success")):
            text = text.replace(word, value)
        daemon.post("/v1/runs", {"workflow": text})
        wait_until((self.folder / "started").exists, "the step", 120)
        self.browser.open(f"http://127.0.0.1:{daemon.port}/")
        self.see("#now-runs", "Cancel run")
        self.browser.run("document.querySelector('#now-runs button').click()")
        self.see("#history-table", "cancelled")

    def test_it_can_be_read_on_a_phone_and_by_a_screen_reader(self):
        self.add_general()
        daemon = self.daemon("--trust-loopback")
        daemon.update({action: self.rule("deny", reason="a reason " * 20) for action in ("add_node", "add_block")})
        daemon.check("add_node")
        browser = self.browser
        browser.resize(360, 740)
        browser.open(f"http://127.0.0.1:{daemon.port}/")
        self.see("#decisions-table", "a reason")
        # Nothing sticks out.
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth"),
                             browser.run("return document.documentElement.clientWidth"))
        self.assertEqual(browser.run("return document.documentElement.lang"), "en")
        faults = browser.run("""
          const faults = [];
          for (const each of document.querySelectorAll("img")) if (!each.alt) faults.push("img without alt");
          for (const each of document.querySelectorAll("button, a"))
            if (!each.innerText.trim() && !each.getAttribute("aria-label")) faults.push("no name: " + each.outerHTML);
          for (const each of document.querySelectorAll("select, input"))
            if (!each.labels.length) faults.push("no label: " + each.outerHTML);
          for (const each of document.querySelectorAll("section"))
            if (!document.getElementById(each.getAttribute("aria-labelledby"))) faults.push("no heading: " + each.id);
          for (const each of document.querySelectorAll("table"))
            if (!each.caption || !each.querySelector("th[scope=col]")) faults.push("no caption or heads: " + each.id);
          const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
          if (new Set(ids).size !== ids.length) faults.push("an id is there twice");
          if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
          if (!document.querySelector("[aria-live]")) faults.push("nothing is announced");
          return faults;""")
        self.assertEqual(faults, [])
        # Contrast of words on the ground, as WCAG counts it.
        for scheme in ("light", "dark"):
            browser.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
                "features": [{"name": "prefers-color-scheme", "value": scheme}]}})
            low = browser.run("""
              const light = (text) => { const part = text.match(/[\\d.]+/g).slice(0, 3).map((each) => {
                const value = each / 255; return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; });
                return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2]; };
              const ground = light(getComputedStyle(document.body).backgroundColor);
              return [...document.querySelectorAll("body *")].filter((each) => each.innerText && !each.children.length)
                .map((each) => { const value = light(getComputedStyle(each).color);
                  return [(Math.max(value, ground) + 0.05) / (Math.min(value, ground) + 0.05), each.outerHTML]; })
                .filter(([ratio]) => ratio < 4.5);""")
            self.assertEqual(low, [], scheme)
        self.assertEqual(browser.problems(), [])


if __name__ == "__main__":
    main()
