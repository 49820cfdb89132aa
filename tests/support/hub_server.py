"""A small Hugging Face Hub on 127.0.0.1: revisions, files by commit, ranges, and the mishaps of a network.

Models and data sets: a data set's repository is called `datasets/owner/name`, as in the Hub's addresses.
"""

import contextlib
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import yaml
from huggingface_hub import constants

LARGE = 2000  # bytes from which a file counts as large: known by its sha256, as the Hub's are


class Hub:
    """Repositories that a test fills and breaks.

    repos   owner/name, or datasets/owner/name -> {"commits": {commit: {file: bytes}}, "branches": {branch: commit}}
    gated   repositories that a request without the token gets 401 (GatedRepo) for
    cut     file -> bytes after which the connection is closed, once each time it is set
    busy    files that are answered 503
    damaged file -> bytes that are sent instead
    requests every (method, path) that came in
    sent    every (file, range) whose content was asked for
    tokens  every token that came with a request
    leaked  Authorization headers that reached the content delivery network
    """

    def __init__(self):
        self.repos, self.gated, self.cut, self.busy, self.damaged = {}, set(), {}, set(), {}
        self.requests, self.sent, self.leaked, self.tokens = [], [], [], set()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                hub.answer(self)

            do_HEAD = do_POST = do_GET

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def commit(self, repo: str, files: dict[str, bytes], branch: str = "main") -> str:
        """A new commit at the head of a branch."""
        entry = self.repos.setdefault(repo, {"commits": {}, "branches": {}})
        content = json.dumps({name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())})
        commit = hashlib.sha1(content.encode()).hexdigest()
        entry["commits"][commit] = dict(files)
        entry["branches"][branch] = commit
        return commit

    def downloads(self, name: str) -> list[str | None]:
        """The ranges that were asked of a file."""
        return [asked for file, asked in self.sent if file == name]

    def answer(self, request) -> None:
        # The parts of a path are told apart before they are decoded: a revision may be refs%2Fconvert%2Fparquet.
        quoted = urlsplit(request.path).path
        path = unquote(quoted)
        self.requests.append((request.command, path))
        self.tokens.add(request.headers.get("Authorization", "").removeprefix("Bearer "))
        # As on the real Hub, the content of large files comes from another host, without the Hub's headers.
        network, quoted = path.startswith("/network/"), quoted.removeprefix("/network")
        parts = [unquote(part) for part in quoted.strip("/").split("/")]
        is_api = parts[0] == "api"
        parts = parts[1:] if is_api else parts
        kind = "datasets/" if parts[0] == "datasets" else ""
        parts = parts[1:] if parts[0] in ("datasets", "models") else parts
        # owner, name, what is asked for (resolve, revision, tree, paths-info), the revision, a path inside
        repo, revision = kind + "/".join(parts[:2]), parts[3] if len(parts) > 3 else "main" if is_api else ""
        inside = "/".join(parts[4:])
        if repo not in self.repos:
            return self.error(request, 404, "RepoNotFound")
        if network:
            self.leaked += [request.headers["Authorization"]] if "Authorization" in request.headers else []
        elif repo in self.gated and request.headers.get("Authorization") != "Bearer let-me-in":
            return self.error(request, 401, "GatedRepo")
        entry = self.repos[repo]
        commit = entry["branches"].get(revision, revision)
        if commit not in entry["commits"]:
            return self.error(request, 404, "RevisionNotFound")
        files = entry["commits"][commit]
        if is_api and parts[2:3] == ["tree"]:
            return self.listing(request, self.entries(files, inside, "recursive=true" in request.path.lower()))
        if is_api and parts[2:3] == ["paths-info"]:
            asked = parse_qs(request.rfile.read(int(request.headers["Content-Length"])).decode())
            paths = asked.get("paths", [])
            return self.listing(request, [one for one in self.entries(files, "", True) if one["path"] in paths])
        if is_api:
            siblings = [self.about(name, data) for name, data in files.items()]
            about = {"id": repo.removeprefix("datasets/"), "sha": commit, "siblings": siblings}
            card = self.card(files.get("README.md", b"").decode())
            return self.send(request, 200, json.dumps(about | ({"cardData": card} if card else {})).encode())
        name = inside
        if name not in files:
            return self.error(request, 404, "EntryNotFound", {"X-Repo-Commit": commit})
        about, data = self.about(name, files[name]), files[name]
        if "lfs" in about and not network:
            headers = {"X-Linked-ETag": f'"{about["lfs"]["sha256"]}"', "X-Linked-Size": str(len(data))}
            headers |= {
                "X-Repo-Commit": commit,
                "Location": self.url.replace("127.0.0.1", "localhost") + "/network" + quoted,
            }
            return self.send(request, 302, b"", headers)
        if name in self.busy and request.command == "GET":
            return self.error(request, 503, "")
        headers = {"ETag": '"another"'} if network else {"ETag": f'"{about["blobId"]}"', "X-Repo-Commit": commit}
        data = self.damaged.get(name, data)
        first = int(request.headers["Range"].removeprefix("bytes=").split("-")[0]) if "Range" in request.headers else 0
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        stop = None
        if request.command == "GET":
            self.sent.append((name, request.headers.get("Range")))
            stop = self.cut.pop(name, None)
        return self.send(request, 206 if first else 200, data[first:], headers, stop)

    def about(self, name: str, data: bytes) -> dict:
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        about = {"rfilename": name, "size": len(data), "blobId": blob}
        if len(data) >= LARGE:
            about["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
        return about

    def entries(self, files: dict[str, bytes], folder: str, recursive: bool) -> list[dict]:
        """Files and folders of a folder, as the Hub lists a tree."""
        found: dict[str, dict] = {}
        for name, data in files.items():
            if folder and not name.startswith(f"{folder}/"):
                continue
            inside = name.removeprefix(f"{folder}/" if folder else "").split("/")
            for depth in range(1, len(inside) + 1 if recursive else 2):
                path = "/".join([*([folder] if folder else []), *inside[:depth]])
                if path == name:
                    about = self.about(name, data)
                    large = {"lfs": {**about["lfs"], "oid": about["lfs"]["sha256"]}} if "lfs" in about else {}
                    found[path] = {"type": "file", "oid": about["blobId"], "size": len(data), "path": path, **large}
                else:
                    found[path] = {"type": "directory", "oid": "0" * 40, "size": 0, "path": path}
        return list(found.values())

    def listing(self, request, entries: list[dict]) -> None:
        self.send(request, 200, json.dumps(entries).encode(), {"Content-Type": "application/json"})

    def card(self, readme: str) -> dict:
        """The YAML at the beginning of a README."""
        return yaml.safe_load(readme.split("---")[1]) if readme.startswith("---") else {}

    def error(self, request, status: int, code: str, headers=None) -> None:
        self.send(request, status, b"{}", {**(headers or {}), "X-Error-Code": code})

    def send(self, request, status, body, headers=None, stop=None) -> None:
        request.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            request.send_header(key, value)
        request.end_headers()
        with contextlib.suppress(OSError):
            if request.command != "HEAD":
                request.wfile.write(body[:stop])
            if stop is not None:
                request.close_connection = True

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.server.shutdown()
        self.server.server_close()


def point_to(endpoint, monkeypatch):
    """What HF_ENDPOINT does before the client is imported."""
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def use(endpoint, cache, monkeypatch) -> None:
    """Set the client to a server and an empty cache, online and without anybody's token."""
    point_to(endpoint, monkeypatch)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", f"{cache}-no-token")
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", f"{cache}-no-tokens")


def use_data(endpoint, cache, monkeypatch) -> None:
    """Set the clients of data sets to a server and empty caches, as `use` does the one of models."""
    import datasets
    from huggingface_hub import HfFileSystem

    use(endpoint, cache, monkeypatch)
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", endpoint)
    monkeypatch.setattr(datasets.config, "HUB_DATASETS_URL", endpoint + "/datasets/{repo_id}/resolve/{revision}/{path}")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    for name in ("HF_DATASETS_CACHE", "DOWNLOADED_DATASETS_PATH", "EXTRACTED_DATASETS_PATH"):
        monkeypatch.setattr(datasets.config, name, f"{cache}-{name.lower()}")
    # File systems remember what folders hold, those of a server of an earlier test at the same port too.
    HfFileSystem.clear_instance_cache()
