"""Drive the admin as a person does: look, type, press, read. Each step saves a screenshot beside the test's files."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeVar

from selenium import webdriver
from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as when
from selenium.webdriver.support.ui import Select
from selenium.webdriver.support.wait import WebDriverWait

T = TypeVar("T")

PASSWORD = "correct horse battery staple"
_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
# Faults of libraries: select2 shows a choice in a text box without a name, inside a box that has one. The label of
# Django's search box is an image.
_RUN_AXE = """
    const rules = {'label-title-only': {enabled: false}};
    const options = {resultTypes: ['violations'], preload: false, rules};
    axe.run({exclude: ['.select2-selection__rendered']}, options).then(arguments[0]);
"""
_KEEP_VIOLATIONS = """
    window.policyViolations = [];
    document.addEventListener('securitypolicyviolation', event => window.policyViolations.push(
        `${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`
    ));
"""
# A page takes well below a second, and longer on a busy machine.
_PATIENCE_SECONDS = 30
# chromedriver's message instead of "stale element" while one page replaces another.
_PAGE_REPLACED = "Node with given id does not belong to the document"


class AdminBrowser:
    def __init__(self, browser: webdriver.Chrome, url: str, *, screenshots: Path) -> None:
        self._browser = browser
        self._url = url
        self._screenshots = screenshots
        screenshots.mkdir(parents=True, exist_ok=True)

    def watch_policy(self) -> None:
        """Record `violations` of the content security policy, from the next page on."""
        self._browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _KEEP_VIOLATIONS})

    def violations(self) -> list[str]:
        """Return what the policy of this page blocked."""
        return self._browser.execute_script("return window.policyViolations")

    def policy(self) -> str | None:
        """Return the content security policy of this page."""
        ask = "fetch(location.href, {method: 'HEAD'}).then(it => it.headers.get('Content-Security-Policy'))"
        return self._browser.execute_async_script(f"{ask}.catch(String).then(arguments[0])")

    def sign_in(self) -> None:
        self.open("/admin/")
        self.type("username", "olga")
        self.type("password", PASSWORD)
        self.press("Log in")

    def open(self, path: str) -> None:
        self._browser.get(self._url + path)
        self.look(path.strip("/").replace("/", "-") or "start")

    def type(self, field: str, text: str) -> None:
        box = self._find(By.NAME, field)
        box.clear()
        box.send_keys(text)

    def press(self, label: str) -> None:
        """Press the button with this label, and wait for the next page."""
        button = self._find(By.XPATH, f"//input[@type='submit'][@value='{label}'] | //button[contains(., '{label}')]")
        self.look(f"before {label}")
        self._leave(button)

    def follow(self, text: str) -> None:
        """Follow the link with this text, and wait for the next page."""
        self._leave(self._find(By.PARTIAL_LINK_TEXT, text))

    def choose(self, field: str, text: str) -> None:
        """Choose an entry of a box that searches while people type."""
        self._find(By.CSS_SELECTOR, f".field-{field} .select2-selection").click()
        self._find(By.CSS_SELECTOR, ".select2-search__field").send_keys(text)
        entry = f"//li[contains(@class, 'select2-results__option')][contains(., '{text}')]"
        self.look(f"choosing {text}")

        def pick(browser: webdriver.Chrome) -> bool:
            browser.find_element(By.XPATH, entry).click()
            return True

        # While it searches, it replaces its entries.
        self._until(pick)

    def select(self, field: str, text: str) -> None:
        """Select an entry of a drop-down list."""
        Select(self._find(By.NAME, field)).select_by_visible_text(text)

    def download(self, label: str, *, directory: Path) -> Path:
        """Return the file that a link downloads."""
        where = {"behavior": "allow", "downloadPath": str(directory)}
        self._browser.execute_cdp_cmd("Browser.setDownloadBehavior", where)
        self._find(By.PARTIAL_LINK_TEXT, label).click()
        # The file has another name until it is complete.
        self._until(lambda _: [*directory.glob("catalog-*.[cx][sl][vs]*")])
        return next(directory.glob("catalog-*"))

    def unfold(self, field: str) -> None:
        summary = self._find(By.CSS_SELECTOR, f".field-{field} summary")
        summary.click()
        self.look(f"unfolded {field}")

    def click(self, selector: str) -> None:
        """Click something that does not open another page."""
        self._find(By.CSS_SELECTOR, selector).click()

    def reads(self, text: str) -> bool:
        """Return whether the page shows this text."""
        return text in self._until(lambda browser: browser.find_element(By.TAG_NAME, "body").text)

    def reads_soon(self, *texts: str) -> bool:
        """Wait until the page shows all of these texts; it may be replaced meanwhile."""
        self._until(lambda _: all(self.reads(text) for text in texts))
        self.look(texts[0])
        return True

    def look(self, name: str) -> None:
        number = len(list(self._screenshots.iterdir()))
        self._browser.save_screenshot(str(self._screenshots / f"{number:02d} {name}.png"))

    def complaints(self) -> list[str]:
        """Return errors in the browser's console, without the one about the missing icon of the site."""
        severe = [entry["message"] for entry in self._browser.get_log("browser") if entry["level"] == "SEVERE"]
        return [message for message in severe if "/favicon.ico" not in message]

    def loaded(self) -> list[str]:
        """Return the addresses of everything that the page loaded."""
        return self._browser.execute_script("return performance.getEntriesByType('resource').map(it => it.name)")

    def narrow(self) -> None:
        """Make the window 390 pixels wide, like a telephone."""
        size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        self._browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def overflows(self) -> bool:
        """Return whether the page itself has to be scrolled sideways."""
        page = "document.documentElement"
        return bool(self._browser.execute_script(f"return {page}.scrollWidth > {page}.clientWidth"))

    def dark(self) -> None:
        preference = {"name": "prefers-color-scheme", "value": "dark"}
        self._browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [preference]})

    def obstacles(self) -> list[str]:
        """Return the accessibility problems that axe-core finds on this page."""
        self._browser.execute_script(_AXE)
        found = self._browser.execute_async_script(_RUN_AXE)
        return [f"{it['id']}: {node['html'][:200]}" for it in found["violations"] for node in it["nodes"]]

    def focused(self) -> str:
        """Return the text of the element that has the focus."""
        element = self._browser.switch_to.active_element
        return element.accessible_name or element.get_attribute("name") or ""

    def key(self, key: str) -> None:
        self._browser.switch_to.active_element.send_keys(key)

    def _find(self, by: str, what: str) -> WebElement:
        return self._until(when.visibility_of_element_located((by, what)))

    def _leave(self, element: WebElement) -> None:
        page = self._find(By.TAG_NAME, "html")
        element.click()
        self._until(when.staleness_of(page))
        self._find(By.TAG_NAME, "body")
        self.look("page")

    def _until(self, seen: Callable[[webdriver.Chrome], T | Literal[False]]) -> T:
        """Wait for a condition. Elements that are replaced meanwhile are looked up again."""

        def look(browser: webdriver.Chrome) -> T | Literal[False]:
            try:
                return seen(browser)
            except (NoSuchElementException, StaleElementReferenceException):
                return False
            except WebDriverException as error:
                if _PAGE_REPLACED not in (error.msg or ""):
                    raise
                return False

        return WebDriverWait(self._browser, _PATIENCE_SECONDS).until(look)
