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
# Not ours to mend: what select2 shows of a choice is a text box without a name, inside a box that has one; the label of
# Django's search box is a picture.
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
# A page takes well below a second; a busy machine some more.
_PATIENCE_SECONDS = 30
# What chromedriver says instead of "stale element" when it is asked in the moment in which a page gives way to another.
_GIVING_WAY = "Node with given id does not belong to the document"


class AdminBrowser:
    def __init__(self, browser: webdriver.Chrome, url: str, *, screenshots: Path) -> None:
        self._browser = browser
        self._url = url
        self._screenshots = screenshots
        screenshots.mkdir(parents=True, exist_ok=True)

    def watch_policy(self) -> None:
        """From the next page on, keep what it is made of and its policy does not allow (`violations`)."""
        self._browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _KEEP_VIOLATIONS})

    def violations(self) -> list[str]:
        """What this page's policy kept from it."""
        return self._browser.execute_script("return window.policyViolations")

    def policy(self) -> str | None:
        """The policy that this page came with."""
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
        """A button, by what stands on it, and wait for the page it leads to."""
        button = self._find(By.XPATH, f"//input[@type='submit'][@value='{label}'] | //button[contains(., '{label}')]")
        self.look(f"before {label}")
        self._leave(button)

    def follow(self, text: str) -> None:
        """A link, by a part of its text, and wait for the page it leads to."""
        self._leave(self._find(By.PARTIAL_LINK_TEXT, text))

    def choose(self, field: str, text: str) -> None:
        """An entry of a box that searches while one types."""
        self._find(By.CSS_SELECTOR, f".field-{field} .select2-selection").click()
        self._find(By.CSS_SELECTOR, ".select2-search__field").send_keys(text)
        entry = f"//li[contains(@class, 'select2-results__option')][contains(., '{text}')]"
        self.look(f"choosing {text}")

        def pick(browser: webdriver.Chrome) -> bool:
            browser.find_element(By.XPATH, entry).click()
            return True

        # As long as it searches, it replaces its entries while one reaches for them.
        self._until(pick)

    def select(self, field: str, text: str) -> None:
        """An entry of a list that is folded up."""
        Select(self._find(By.NAME, field)).select_by_visible_text(text)

    def download(self, label: str, *, directory: Path) -> Path:
        """What a link gives to keep."""
        where = {"behavior": "allow", "downloadPath": str(directory)}
        self._browser.execute_cdp_cmd("Browser.setDownloadBehavior", where)
        self._find(By.PARTIAL_LINK_TEXT, label).click()
        # While it comes it has another name.
        self._until(lambda _: [*directory.glob("catalog-*.[cx][sl][vs]*")])
        return next(directory.glob("catalog-*"))

    def unfold(self, field: str) -> None:
        summary = self._find(By.CSS_SELECTOR, f".field-{field} summary")
        summary.click()
        self.look(f"unfolded {field}")

    def click(self, selector: str) -> None:
        """Something that leads to no other page."""
        self._find(By.CSS_SELECTOR, selector).click()

    def reads(self, text: str) -> bool:
        """True when that stands on the page."""
        return text in self._until(lambda browser: browser.find_element(By.TAG_NAME, "body").text)

    def reads_soon(self, *texts: str) -> bool:
        """True once all of that stands on the page, which may be replaced meanwhile."""
        self._until(lambda _: all(self.reads(text) for text in texts))
        self.look(texts[0])
        return True

    def look(self, name: str) -> None:
        number = len(list(self._screenshots.iterdir()))
        self._browser.save_screenshot(str(self._screenshots / f"{number:02d} {name}.png"))

    def complaints(self) -> list[str]:
        """What the browser's console complained about; an icon for the tab is asked for unasked."""
        severe = [entry["message"] for entry in self._browser.get_log("browser") if entry["level"] == "SEVERE"]
        return [message for message in severe if "/favicon.ico" not in message]

    def loaded(self) -> list[str]:
        """Addresses of all that the page consists of."""
        return self._browser.execute_script("return performance.getEntriesByType('resource').map(it => it.name)")

    def narrow(self) -> None:
        """As on a telephone, 390 pixels wide."""
        size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        self._browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def overflows(self) -> bool:
        """True when the page itself, and not a part of it, has to be moved sideways."""
        page = "document.documentElement"
        return bool(self._browser.execute_script(f"return {page}.scrollWidth > {page}.clientWidth"))

    def dark(self) -> None:
        preference = {"name": "prefers-color-scheme", "value": "dark"}
        self._browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [preference]})

    def obstacles(self) -> list[str]:
        """What keyboards, screen readers and weak eyes stumble over on this page, as axe-core finds it."""
        self._browser.execute_script(_AXE)
        found = self._browser.execute_async_script(_RUN_AXE)
        return [f"{it['id']}: {node['html'][:200]}" for it in found["violations"] for node in it["nodes"]]

    def focused(self) -> str:
        """What stands on the thing that the next key goes to."""
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
        """Wait for that; what is replaced while one looks at it is looked for again."""

        def look(browser: webdriver.Chrome) -> T | Literal[False]:
            try:
                return seen(browser)
            except (NoSuchElementException, StaleElementReferenceException):
                return False
            except WebDriverException as error:
                if _GIVING_WAY not in (error.msg or ""):
                    raise
                return False

        return WebDriverWait(self._browser, _PATIENCE_SECONDS).until(look)
