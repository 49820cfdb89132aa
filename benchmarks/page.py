"""How large a page is, and how soon one can use it in a browser that shows nothing.

    python -m benchmarks.page results/mini/report/index.html    measures pages that are there
    python -m benchmarks.page                                   builds that of the paper's grid from random numbers

Out: one line a page: megabytes, and of `ROUNDS` loads the median seconds until it was parsed, until it could be used
(the first picture is drawn, tables sort and filter, switches work), and until all its pictures were drawn. Needs
Chromium.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

ROUNDS = 3
BROWSERS = ("chromium", "google-chrome", "chromium-browser")
# Put into a copy of the page. It sends the page's own marks to this program once all pictures are drawn.
REPORTER = """<script type="module">
const ask = () => {
  if (!performance.getEntriesByName("drawn").length) return setTimeout(ask, 20);
  const at = (name) => performance.getEntriesByName(name)[0].startTime;
  const parsed = performance.getEntriesByType("navigation")[0].domInteractive;
  fetch("/", { method: "POST", body: JSON.stringify({ parsed, usable: at("usable"), drawn: at("drawn") }) });
};
ask();
</script>"""


def measure(page: Path, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds since the navigation of every load: parsed, usable, drawn; each load in a browser that is new."""
    browser = next(path for name in BROWSERS if (path := shutil.which(name)))
    html = page.read_text(encoding="utf-8")
    # The page's policy forbids every request, also the one of `REPORTER`.
    html = html.replace('http-equiv="Content-Security-Policy"', 'name="no-policy"')
    # Scripts of the page hold such a tag as text, so the last one is the page's.
    before, tag, after = html.rpartition("</body>")
    html = f"{before}{REPORTER}{tag}{after}"
    found: dict[str, list[float]] = {"parsed": [], "usable": [], "drawn": []}
    for _ in range(rounds):
        for name, milliseconds in _load(browser, html.encode()).items():
            found[name].append(milliseconds / 1000)
    return found


def _load(browser: str, html: bytes) -> dict[str, float]:
    reported = threading.Event()
    marks: dict[str, float] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(html if self.path == "/" else b"")

        def do_POST(self):
            marks.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            reported.set()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,900", "--remote-debugging-port=0"]
        address = f"http://127.0.0.1:{server.server_port}/"
        process = subprocess.Popen(
            [browser, *options, f"--user-data-dir={profile}", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            if not reported.wait(120):
                raise SystemExit("error: the page did not say within 120 s that its pictures are drawn")
        finally:
            process.terminate()
            process.wait()
            server.shutdown()
            server.server_close()
    return marks


def paper_grid(folder: Path) -> Path:
    """The page of the paper's grid, from random numbers, under both protocols; all tables and figures made."""
    from tests.support.presentation import write_paper_grid

    return write_paper_grid(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=Path, help="default: the page of the paper's grid, made here")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for page in arguments.pages or [paper_grid(Path(folder))]:
            times = {name: f"{statistics.median(each):.2f} s" for name, each in measure(page, arguments.rounds).items()}
            told = ", ".join(f"{name} {seconds}" for name, seconds in times.items())
            print(f"{page}: {page.stat().st_size / 1e6:.2f} MB, {told}", flush=True)


if __name__ == "__main__":
    main()
