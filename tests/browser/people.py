"""People at a browser, and what every newcomer does first."""

import io
import re
import zipfile
from pathlib import Path

from tests.browser.axe import assert_no_barriers

SCREENSHOTS = Path(__file__).resolve().parents[2] / ".screenshots"
PASSWORD = "correct horse battery staple"
STAFF_PASSWORD = "another staple for the horse"
PATIENCE = 180_000


class Person:
    """Somebody at a browser, in whose way the test looks at every page."""

    def __init__(self, browser, url, name):
        self.url, self.name, self.steps = url, name, 0
        self.context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.complaints = []
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        # From now on choosers of files are the test's: one that is asked for late may find the browser's own open.
        self.page.on("filechooser", lambda _: None)

    def open(self, path):
        self.page.goto(self.url + path)

    def fill(self, **fields):
        for name, value in fields.items():
            self.page.fill(f"main [name={name}]", value)

    def press(self, words):
        self.page.get_by_role("main").get_by_role("button", name=words, exact=isinstance(words, str)).click()

    def follow(self, words):
        self.page.get_by_role("main").get_by_role("link", name=words).first.click()
        self.page.wait_for_load_state()

    def reads(self, words):
        self.page.get_by_role("main").get_by_text(words).first.wait_for()

    def told(self, words):
        """A message on top of the page, which says what was done."""
        self.page.get_by_text(words).first.wait_for()

    def look(self, what):
        """A picture of the page by daylight and on a phone at night; and no barriers in either."""
        self.page.wait_for_load_state("networkidle")
        SCREENSHOTS.mkdir(exist_ok=True)
        self.steps += 1
        for width, height, scheme in ((1440, 900, "light"), (390, 844, "dark")):
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.emulate_media(color_scheme=scheme)
            # What has gone half under the head of the page by scrolling is no barrier.
            self.page.evaluate("scrollTo(0, 0)")
            self.page.screenshot(path=SCREENSHOTS / f"{self.name}-{self.steps:02}-{what}-{width}.png", full_page=True)
            assert_no_barriers(self.page)
            overhang = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overhang <= 0, f"{what} is {overhang} px wider than {width} px"
        self.page.set_viewport_size({"width": 1440, "height": 900})
        self.page.emulate_media(color_scheme="light")

    def log_in(self, email, password):
        self.open("/accounts/login/")
        self.fill(login=email, password=password)
        self.press("Log in")
        self.page.wait_for_url(lambda url: "/accounts/" not in url)

    def leave(self):
        assert self.complaints == [], self.complaints
        self.context.close()


class Keyboard(Person):
    """Somebody without a mouse."""

    def log_in(self, email, password):
        self.open("/accounts/login/")
        self.fill(login=email, password=password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "/login/" not in url)
        if "terms" in self.page.url:
            self.enter("button", re.compile("accept", re.IGNORECASE))
            self.page.wait_for_url(lambda url: "terms" not in url)

    def tab_to(self, role, words):
        """Go on with Tab until something of this role and name has the focus."""
        wanted = self.page.get_by_role("main").get_by_role(role, name=words).first
        wanted.wait_for()
        for _ in range(400):
            if wanted.evaluate("(element) => element === document.activeElement"):
                assert self.page.evaluate("document.activeElement.matches(':focus-visible')")
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{words} cannot be reached by keyboard")

    def enter(self, role, words):
        self.tab_to(role, words)
        self.page.keyboard.press("Enter")

    def type(self, role, words, text):
        self.tab_to(role, words)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)


def sign_up(person, email, *, look=False):
    """Make an account, confirm the address by the mail, accept the terms."""
    person.open("/accounts/signup/")
    person.fill(email=email, password1=PASSWORD, password2=PASSWORD)
    if look:
        person.look("sign-up")
    person.press("Sign up")
    person.open("/mailbox/")
    if look:
        person.look("mailbox")
    person.page.locator("main a[href*='/confirm-email/']").first.click()
    person.press(re.compile("Confirm"))
    person.page.wait_for_url(lambda url: "confirm-email" not in url)
    if "/login/" in person.page.url:
        person.fill(login=email, password=PASSWORD)
        person.press("Log in")
    person.reads("Before you go on")
    if look:
        person.look("terms")
    person.press(re.compile("Accept version"))
    person.page.wait_for_url(lambda url: "terms" not in url)


def open_invitation(person, email):
    """Follow the link in the newest mail to an address."""
    person.open("/mailbox/")
    mail = person.page.get_by_role("article").filter(has_text=f"To {email}")
    mail.locator("a[href*='/invitations/']").first.click()
    person.reads("invites you to")


def pack(entries):
    """A ZIP of (path, bytes)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in entries:
            archive.writestr(path, data)
    return packed.getvalue()
