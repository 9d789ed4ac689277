"""The pages' pure parts (parts.js), run by the browser from the source tree."""

import http.server
import pathlib
import threading

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ASSETS = HERE.parents[1] / "webd/assets"


class _Files(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path):
        name = path.split("?")[0].lstrip("/")
        return str(HERE / name if name.startswith("parts.") else ASSETS / name)

    def log_message(self, *_):
        pass


@pytest.fixture
def files():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_pure_parts(browser, files):
    browser.driver.get(files + "/parts.html")
    results = browser.run("return new Promise(done => { const look = () => window.results ? done(window.results) : setTimeout(look, 20); look(); })")
    assert len(results) > 25
    assert not [r for r in results if r["fault"]], [r for r in results if r["fault"]]


def test_no_way_for_markup_in():
    """Nothing in the sources turns text into HTML, code or style: CSP would stop it; it is not even tried."""
    for file in ASSETS.rglob("*.js"):
        text = file.read_text()
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc",
                     "javascript:", "setAttribute('style'", "createContextualFragment", "DOMParser"):
            assert word not in text, f"{word} in {file}"
    page = (ASSETS / "index.html").read_text()
    assert "style=" not in page and "<style" not in page and "onclick" not in page
    assert page.count("<script") == page.count("<script ") == 2 and "http" not in page
