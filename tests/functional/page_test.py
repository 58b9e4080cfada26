"""The page at `/` in a real browser, without a display. Pictures of failures stay in $VENVOY_SCREENSHOTS, or beside the
build."""

import os
import pathlib

from selenium.webdriver.common.keys import Keys

from browser import open_browser
from governance_harness import GovernanceTest
from harness import PROJECT, WAITING_WORKFLOW, main, wait_until

# Whatever the page would fetch from elsewhere it does not get.
WITHOUT_NETWORK = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


class Page(GovernanceTest):
    def setUp(self):
        super().setUp()
        self.browser = open_browser(self.folder / "profile", arguments=WITHOUT_NETWORK)
        self.addCleanup(self.browser.quit)

    def run(self, result=None):
        # The picture is taken while the browser is there: cleanups come later.
        method = getattr(self, self._testMethodName)

        def with_picture():
            try:
                method()
            except BaseException:
                self.picture(self._testMethodName)
                raise

        setattr(self, self._testMethodName, with_picture)
        return super().run(result)

    def picture(self, name):
        folder = pathlib.Path(os.environ.get("VENVOY_SCREENSHOTS", PROJECT / "build" / "screenshots"))
        folder.mkdir(parents=True, exist_ok=True)
        self.browser.save_screenshot(str(folder / f"{name}.png"))

    def look(self, name):
        """For people who want to see what the test sees."""
        if "VENVOY_SCREENSHOTS" in os.environ:
            self.picture(name)

    def press(self, *keys):
        self.browser.switch_to.active_element.send_keys(*keys)

    def focused(self):
        return self.script("return document.activeElement.id || document.activeElement.innerText")

    def waiting_run(self, daemon):
        """A run that lasts until there is a file `release`."""
        plugin = self.tiny()
        text = WAITING_WORKFLOW
        for word, value in (("@REFERENCE@", plugin.reference(plugin.head())), ("@STEP@", "wait"),
                            ("@FOLDER@", str(self.folder)), ("@CHILDREN@", "false"), ("@OUTPUT@", "success")):
            text = text.replace(word, value)
        run = daemon.post("/v1/runs", {"workflow": text}).json["run"]
        wait_until((self.folder / "started").exists, "the step", 120)
        return run

    def script(self, text, *arguments):
        return self.browser.execute_script(text, *arguments)

    def text(self, selector):
        return self.script("const found = document.querySelector(arguments[0]); return found ? found.innerText : ''", selector)

    def see(self, selector, words, seconds=60):
        wait_until(lambda: words in self.text(selector), f"{words!r} in {selector}", seconds)

    def require_no_problems(self):
        self.assertEqual([entry for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"], [])

    def test_the_page(self):
        self.add_general()
        daemon = self.daemon()
        daemon.update({"add_node": self.rule("deny", reason="<b>not today</b>"), "add_block": self.rule("raise")})
        daemon.check("add_node")
        daemon.check("add_block")
        browser = self.browser
        browser.get(f"http://127.0.0.1:{daemon.port}/?token={daemon.token}")
        self.assertEqual(browser.current_url, f"http://127.0.0.1:{daemon.port}/")
        self.see("#rules-table", "acme.rule:1-stable")
        self.see("#rules-table", "http:token")
        self.see("#rules-table", "no rule: allowed")
        self.see("#decisions-table", "<b>not today</b>")  # a text, never HTML
        self.see("#decisions-table", "ValueError: the policy is confused")
        self.see("#now-empty", "Nothing is running.")
        # A run, while it goes on.
        run = self.waiting_run(daemon)
        self.see("#now-runs", run)
        self.see("#now-runs li[data-step=wait]", "running")
        self.assertGreater(wait_until(lambda: self.script(
            "const image = document.querySelector('#now-runs img'); return image && image.complete ? image.naturalWidth : 0"),
            "the graph"), 0)
        self.look("running")
        (self.folder / "release").touch()
        self.see("#history-table", "succeeded")
        self.see("#now-empty", "Nothing is running.")
        self.script("document.querySelector('#history-table button').click()")
        self.see("#run-detail", "Output success")
        self.look("ended")
        # The filter.
        self.script("const list = document.querySelector('#decision-filter'); list.value = 'error';"
                    "list.dispatchEvent(new Event('change'))")
        wait_until(lambda: "not today" not in self.text("#decisions-table"), "the filter")
        self.require_no_problems()

    def test_by_keyboard_alone(self):
        daemon = self.daemon("--trust-loopback")
        run = self.waiting_run(daemon)
        self.browser.get(f"http://127.0.0.1:{daemon.port}/")
        self.see("#now-runs", "Cancel run")
        # The first stop leads past the navigation, and can be seen while it has the focus.
        self.press(Keys.TAB)
        self.assertEqual(self.focused(), "Skip to the content")
        self.assertGreaterEqual(self.script("return document.activeElement.getBoundingClientRect().left"), 0)
        self.press(Keys.ENTER)
        wait_until(lambda: self.focused() == "main", "the focus on the content")
        # Every place that takes the focus shows it.
        seen = []
        while f"Cancel run {run}" not in seen and len(seen) < 20:
            self.press(Keys.TAB)
            seen.append(self.focused())
            self.assertEqual(self.script("return getComputedStyle(document.activeElement).outlineStyle"), "solid", seen)
        self.press(Keys.ENTER)
        self.see("#history-table", "cancelled")
        self.script("document.querySelector('#history-table button').focus()")
        self.press(Keys.ENTER)
        self.see("#run-detail", "cancelled")
        self.assertEqual(self.focused(), "run-detail")
        # What is shown again every few seconds does not take the focus away.
        self.script("document.querySelector('#history-table button').focus()")
        daemon.update({})
        daemon.check("add_node")
        self.script("return refresh()")
        self.assertEqual(self.focused(), run)

    def test_while_the_server_is_away(self):
        daemon = self.daemon("--trust-loopback")
        self.browser.get(f"http://127.0.0.1:{daemon.port}/")
        self.see("#status", "Up to date.")
        self.assertEqual(daemon.stop(), 0)
        self.see("#status", "The server does not answer")
        self.see("#rules-table", "no rule: allowed")  # what was known is still there
        self.look("away")
        self.daemon("--trust-loopback", listen=f"127.0.0.1:{daemon.port}")
        self.see("#status", "Up to date.")

    def test_it_can_be_read_on_a_phone_and_by_a_screen_reader(self):
        self.add_general()
        daemon = self.daemon("--trust-loopback")
        daemon.update({action: self.rule("deny", reason="a reason " * 20) for action in ("add_node", "add_block")})
        daemon.check("add_node")
        browser = self.browser
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True})
        browser.get(f"http://127.0.0.1:{daemon.port}/")
        self.see("#decisions-table", "a reason")
        self.assertEqual(self.script("return innerWidth"), 360)
        self.look("phone")
        # Nothing sticks out.
        self.assertLessEqual(self.script("return document.documentElement.scrollWidth"),
                             self.script("return document.documentElement.clientWidth"))
        self.assertEqual(self.script("return document.documentElement.lang"), "en")
        faults = self.script("""
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
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
                "features": [{"name": "prefers-color-scheme", "value": scheme}]})
            self.look(scheme)
            low = self.script("""
              const light = (text) => { const part = text.match(/[\\d.]+/g).slice(0, 3).map((each) => {
                const value = each / 255; return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; });
                return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2]; };
              const ground = light(getComputedStyle(document.body).backgroundColor);
              return [...document.querySelectorAll("body *")].filter((each) => each.innerText && !each.children.length)
                .map((each) => { const value = light(getComputedStyle(each).color);
                  return [(Math.max(value, ground) + 0.05) / (Math.min(value, ground) + 0.05), each.outerHTML]; })
                .filter(([ratio]) => ratio < 4.5);""")
            self.assertEqual(low, [], scheme)
        self.require_no_problems()


if __name__ == "__main__":
    main()
