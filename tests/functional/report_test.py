"""venvoy run --report: one page, in a real browser."""

import json

import harness
from browser import open_browser
from harness import FunctionalTest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from spilling import SpillPlugin, workflow

HOSTILE = "</script><script>document.title='broken'</script><!-- <img src=x onerror=\"document.title='broken'\"> & ' \""

MIXED_OUTPUTS = """\
  success:
    good: !expr $.steps.good.outputs.success.message
    failing: !expr $.steps.failing.outputs.error.reason
    crashing: !expr $.steps.crashing.crashed.error.output
    off: !expr $.steps.off.disabled.output.message
"""


class ReportTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = SpillPlugin(self.folder / "plugin")

    def write_mixed(self):
        """Steps that end in every way, and one that waits for another."""
        self.write(
            "workflow.yaml",
            workflow(
                self.plugin.step("good", "spill", "{password: planted-1, how: ok}"),
                self.plugin.step("after", "spill", "{password: !expr $.steps.good.outputs.success.message, how: ok}"),
                self.plugin.step("failing", "spill", "{password: planted-2, how: error}"),
                self.plugin.step("crashing", "spill", "{password: planted-3, how: crash}"),
                self.plugin.step("off", "spill", "{password: planted-4, how: ok}", "    enabled: false\n"),
                outputs=MIXED_OUTPUTS + "    after: !expr $.steps.after.outputs.success.message\n",
            ),
        )

    def report(self, *arguments, code=0):
        result = self.call("run", "workflow.yaml", "--report", "report.html", *arguments, patience=400)
        self.assertEqual(result.code, code, result)
        return (self.folder / "report.html").read_text()

    def browse(self, **options):
        browser = open_browser(self.folder / "browser", **options)
        self.addCleanup(browser.quit)
        browser.get(f"file://{self.folder}/report.html")
        return browser

    def require_quiet(self, browser):
        """Nothing went wrong in it, and it has asked for nothing."""
        self.assertEqual([line for line in browser.get_log("browser") if line["level"] != "INFO"], [])
        loaded = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
        self.assertEqual(loaded, [])

    def rows(self, browser):
        rows = browser.find_elements(By.CSS_SELECTOR, "#step-table tbody tr[data-number]")
        return [row for row in rows if row.is_displayed()]

    def names(self, browser):
        return [row.find_element(By.TAG_NAME, "th").text for row in self.rows(browser)]

    def test_every_way_to_end(self):
        self.write_mixed()
        text = self.report()
        self.assertNotIn("planted", text)
        browser = self.browse()
        self.assertEqual(browser.find_element(By.TAG_NAME, "h1").text, "workflow.yaml")
        for part in ("problems", "timeline", "steps", "graph", "result", "plugins", "machine"):
            self.assertTrue(browser.find_element(By.ID, part).is_displayed(), part)
        # What failed comes first.
        names = self.names(browser)
        self.assertEqual(set(names[:2]), {"failing", "crashing"})
        self.assertEqual(set(names), {"good", "after", "failing", "crashing", "off"})
        states = {
            row.find_element(By.TAG_NAME, "th").text: row.get_attribute("data-state") for row in self.rows(browser)
        }
        expected = {"good": "succeeded", "after": "succeeded", "failing": "failed", "crashing": "failed", "off": "disabled"}
        self.assertEqual(states, expected)
        problems = browser.find_element(By.ID, "problems").text
        self.assertIn("last words: [masked]", problems)
        # The timeline has a bar for each step that ran.
        bars = browser.find_elements(By.CSS_SELECTOR, "#timeline .track i.b-run, #timeline .track i.b-bad")
        self.assertGreaterEqual(len(bars), 4)
        self.assertTrue(all(bar.size["width"] >= 2 for bar in bars))
        # The graph has the states.
        self.assertEqual(len(browser.find_elements(By.CSS_SELECTOR, "#graph g.step.failed")), 2)
        self.assertEqual(len(browser.find_elements(By.CSS_SELECTOR, "#graph g.step.disabled")), 1)
        plugins = browser.find_element(By.ID, "plugins").text
        self.assertIn(self.plugin.head(), plugins)
        self.assertIn(str(self.store), plugins)
        self.require_quiet(browser)

    def test_details_are_there_when_they_are_asked_for(self):
        self.write_mixed()
        self.report()
        browser = self.browse()
        self.assertEqual(browser.find_elements(By.CSS_SELECTOR, "tr.step-detail"), [])
        [row] = [row for row in self.rows(browser) if row.find_element(By.TAG_NAME, "th").text == "after"]
        button = row.find_element(By.TAG_NAME, "button")
        button.send_keys(Keys.ENTER)
        self.assertEqual(button.get_attribute("aria-expanded"), "true")
        detail = browser.find_element(By.ID, button.get_attribute("aria-controls"))
        for words in (
            "Input", "Output", "Log", "how: ok", "connecting with [masked]", self.plugin.head(), str(self.store),
            "steps.good.outputs.success: came after", "a line of the step itself",
        ):
            self.assertIn(words, detail.text)
        button.send_keys(Keys.SPACE)
        self.assertFalse(detail.is_displayed())
        # Links to a step open it.
        browser.find_element(By.CSS_SELECTOR, "#problems a").send_keys(Keys.ENTER)
        opened = [each for each in browser.find_elements(By.CSS_SELECTOR, "tr.step-detail") if each.is_displayed()]
        self.assertEqual(len(opened), 1)
        self.require_quiet(browser)

    def test_search_state_and_order(self):
        self.write_mixed()
        self.report()
        browser = self.browse()
        words = browser.find_element(By.ID, "step-words")
        words.send_keys("FAIL")
        self.assertIn("failing", self.names(browser))
        self.assertNotIn("good", self.names(browser))
        words.clear()
        words.send_keys(Keys.SPACE, Keys.BACKSPACE)
        browser.find_element(By.CSS_SELECTOR, "#step-state option[value=disabled]").click()
        self.assertEqual(self.names(browser), ["off"])
        self.assertEqual(browser.find_element(By.ID, "step-count").text, "1 of 5 steps")
        browser.find_element(By.CSS_SELECTOR, "#step-state option[value='']").click()
        browser.find_element(By.CSS_SELECTOR, "#step-order option[value=name]").click()
        self.assertEqual(self.names(browser), sorted(self.names(browser)))

    def test_without_scripts_the_summary_is_there(self):
        self.write_mixed()
        self.report()
        browser = self.browse(scripts=False)
        text = browser.find_element(By.TAG_NAME, "body").text
        for words in ("workflow.yaml", "succeeded", "crashing", "last words", "are shown by a script"):
            self.assertIn(words, text)
        self.assertFalse(browser.find_element(By.ID, "step-tools").is_displayed())

    def test_hostile_texts_stay_texts(self):
        name = json.dumps(HOSTILE)
        self.write(
            "workflow.yaml",
            workflow(
                self.plugin.step("one", "spill", "{password: planted-1, pin: !expr $.input.name, how: ok}"),
                self.plugin.step("two", "spill", "{password: !expr $.input.name, how: crash}"),
                outputs="""\
  success:
    m: !expr $.input.name
    one: !expr $.steps.one.outputs.success.message
    two: !expr $.steps.two.crashed.error.output
""",
            ),
        )
        self.write("input.yaml", f"name: {name}\n")
        for arguments in ([], ["--no-mask"]):
            self.report("-i", "input.yaml", *arguments)
            browser = self.browse()
            for button in browser.find_elements(By.CSS_SELECTOR, "#step-table button"):
                button.click()
            self.assertIn("workflow.yaml", browser.title)
            self.assertEqual(browser.find_elements(By.TAG_NAME, "img"), [])
            if arguments:
                self.assertIn(HOSTILE[:40], browser.find_element(By.ID, "steps").text)
            self.require_quiet(browser)
            browser.quit()

    def test_a_run_that_could_not_be_prepared(self):
        self.write("workflow.yaml", "nonsense: true\n")
        self.report(code=1)
        browser = self.browse()
        self.assertIn("nonsense", browser.find_element(By.ID, "problems").text)
        self.assertIn("failed", browser.find_element(By.CSS_SELECTOR, "header").text)
        self.require_quiet(browser)

    def test_light_and_dark(self):
        self.write_mixed()
        self.report()

        def ground(**options):
            browser = self.browse(**options)
            color = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
            browser.quit()
            return color

        self.assertEqual(ground(), "rgb(255, 255, 255)")
        self.assertEqual(ground(dark=True), "rgb(20, 23, 26)")

    def test_nothing_is_wider_than_a_small_screen(self):
        self.write_mixed()
        self.report()
        browser = self.browse(width=500)
        widths = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        self.assertLessEqual(widths[0], widths[1])


if __name__ == "__main__":
    harness.main()
