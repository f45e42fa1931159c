"""A stand-in for the Hugging Face Hub that speaks as much of its HTTP as huggingface_hub needs to
create a repository, commit files and fetch them again. It keeps everything in memory."""

import base64
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit


class Hub:
    """Runs on a free port until ``close``.

    Attributes:
        url: for HF_ENDPOINT.
        commits: repository -> list of (commit id, {path: content}), newest last.
        private: repository -> as which it was created.
        token: the only one that may write.
        served: paths of files that were downloaded.
    """

    def __init__(self, token="hf_right"):
        self.commits, self.private, self.served, self.token = {}, {}, [], token
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def files(self, repo, revision="main"):
        """(commit id, {path: content}) of a revision; None where there is none."""
        made = self.commits.get(repo, [])
        return next((c for c in made[::-1] if revision in ("main", c[0])), None)

    def commit(self, repo, lines):
        """Apply a commit's lines; returns its id."""
        files = dict(self.commits[repo][-1][1])
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                files.pop(value["path"])
        oid = hashlib.sha1(repr((len(self.commits[repo]), sorted(files))).encode()).hexdigest()
        self.commits[repo].append((oid, files))
        return oid

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self._json({"error": "Invalid credentials"}, 401)
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if found := re.fullmatch(r"/api/(?:models|datasets)/(.+/.+)/preupload/main", path):
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                for f in json.loads(body)["files"]
            ]
            return self._json({"files": files})
        if found := re.fullmatch(r"/api/(?:models|datasets)/(.+/.+)/commit/main", path):
            repo = found[1]
            oid = self.hub.commit(repo, [json.loads(x) for x in body.splitlines()])
            url = f"{self.hub.url}/{repo}/commit/{oid}"
            return self._json({"success": True, "commitOid": oid, "commitUrl": url})
        return self._json({"error": f"no such call: {path}"}, 404)

    def _create(self, wanted):
        repo = f"{wanted['organization']}/{wanted['name']}"
        url = f"{self.hub.url}/{repo}"
        if repo in self.hub.commits:
            return self._json({"error": "You already created this model repo", "url": url}, 409)
        self.hub.private[repo] = wanted["visibility"] == "private"
        self.hub.commits[repo] = [("0" * 40, {".gitattributes": b""})]  # as the hub begins
        return self._json({"url": url, "name": repo})

    def do_HEAD(self):
        self._read(body=False)

    def do_GET(self):
        self._read(body=True)

    def _read(self, body):
        path = unquote(urlsplit(self.path).path)
        if found := re.fullmatch(
            r"/api/(?:models|datasets)/([^/]+/[^/]+)(?:/revision/(.+))?", path
        ):
            return self._info(found[1], found[2] or "main")
        if found := re.fullmatch(r"/api/(?:models|datasets)/([^/]+/[^/]+)/tree/([^/]+)/?", path):
            return self._tree(found[1], found[2])
        if found := re.fullmatch(r"(?:/datasets)?/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self._file(*found.groups(), body)
        return self._json({"error": f"no such call: {path}"}, 404)

    def _info(self, repo, revision):
        made = self.hub.files(repo, revision)
        if made is None:
            return self._missing(repo)
        siblings = [{"rfilename": name} for name in sorted(made[1])]
        return self._json({"id": repo, "sha": made[0], "siblings": siblings})

    def _tree(self, repo, revision):
        made = self.hub.files(repo, revision)
        if made is None:
            return self._missing(repo)
        entries = [
            {"type": "file", "path": name, "size": len(text), "oid": _sha(text)}
            for name, text in sorted(made[1].items())
        ]
        return self._json(entries)

    def _file(self, repo, revision, name, body):
        made = self.hub.files(repo, revision)
        if made is None or name not in made[1]:
            return self._missing(repo)
        text = made[1][name]
        if body:
            self.hub.served.append(name)
        self.send_response(200)
        self.send_header("ETag", f'"{_sha(text)}"')
        self.send_header("X-Repo-Commit", made[0])
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if body:
            self.wfile.write(text)
        return None

    def _missing(self, repo):
        code = "RevisionNotFound" if repo in self.hub.commits else "RepoNotFound"
        self._json({"error": "not found"}, 404, {"X-Error-Code": code})

    def _json(self, value, status=200, headers=()):
        text = json.dumps(value).encode()
        self.send_response(status)
        for name, content in dict(headers).items():
            self.send_header(name, content)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)


def _sha(text):
    return hashlib.sha1(text).hexdigest()
