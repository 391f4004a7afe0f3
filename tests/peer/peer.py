"""What the peer scripts share: the sandbox as a process, the two tools as commands, and skipping."""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# The kinds of this release, and the credentials of clients, which auth0-deploy-cli treats as a kind of their own.
KINDS = [
    "tenant",
    "clients",
    "clientAuthCredentials",
    "resourceServers",
    "clientGrants",
    "connections",
    "databases",
    "roles",
    "actions",
    "triggers",
    "pages",
    "emailProvider",
    "emailTemplates",
    "branding",
    "prompts",
    "organizations",
    "attackProtection",
    "rules",
    "rulesConfigs",
]

MARKER = re.compile(r"(?:##|@@)([A-Za-z0-9_]+)(?:##|@@)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Auth0's own: not markers.
TEXT = {"password", "config"}


class Failed(Exception):
    """A check that did not hold."""


def required(need):
    return need in os.environ.get("REQUIRE", "").split(",")


def skip(need, why):
    """Says that something was skipped; raises if it must not be."""
    if required(need):
        raise Failed(f"{why}, and REQUIRE names `{need}`")
    print(f"skipped: {why}")


def shared():
    """The reference material, or None."""
    folder = Path(os.environ.get("TENANTRY_SHARED", ROOT.parent / "shared"))
    return folder if folder.is_dir() else None


def tenantry():
    """The binary to check."""
    if given := os.environ.get("TENANTRY_BIN"):
        return Path(given).resolve()
    subprocess.run(["cargo", "build", "--quiet", "--locked"], cwd=ROOT, check=True)
    found = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--locked"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return Path(json.loads(found.stdout)["target_directory"]) / "debug" / "tenantry"


def a0deploy():
    """The command line of auth0-deploy-cli, or None where Node is missing."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = Path(os.environ.get("TENANTRY_PEER", cache / "tenantry-ci" / "peer"))
    subprocess.run([HERE / "setup", folder], check=True)
    return [node, folder / "node_modules" / "auth0-deploy-cli" / "lib" / "index.js"]


@dataclass
class Run:
    """A finished command."""

    code: int
    out: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int


def run(command, cwd, env):
    """Runs a command with a clean environment and measures it."""
    clean = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    # Both tools may look for a home; neither may find the real one.
    clean |= {"HOME": str(cwd), "NO_COLOR": "1", "CI": "1"} | env
    log = Path(cwd) / "output.txt"
    begin = time.monotonic()
    with log.open("wb") as output:
        child = subprocess.Popen(
            [str(word) for word in command], cwd=cwd, env=clean, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Run(
        child.returncode,
        # auth0-deploy-cli colours its log for files too.
        COLOUR.sub("", log.read_text(encoding="utf-8", errors="replace")),
        time.monotonic() - begin,
        usage.ru_utime + usage.ru_stime,
        peak,
    )


class Sandbox:
    """`tenantry sandbox` as a process, for a `with` block."""

    def __init__(self, binary, folder, *options, domain="auth0-deploy-cli-e2e.us.auth0.com"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.record = self.folder / "record.ndjson"
        self.command = [str(binary), "sandbox", "--tls", "--json", "--port", "0", "--tenant-domain", domain]
        self.command += ["--record", str(self.record), *options]

    def __enter__(self):
        self.errors = (self.folder / "sandbox.txt").open("wb")
        self.process = subprocess.Popen(
            self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors
        )
        line = self.process.stdout.readline()
        if not line:
            self.__exit__()
            said = (self.folder / "sandbox.txt").read_text(encoding="utf-8", errors="replace")
            raise Failed(f"the sandbox did not start: {said.strip()}")
        if '"url"' not in line.decode():
            raise Failed(f"the sandbox did not start: {line.decode()}{self.process.stdout.read().decode()}")
        ready = json.loads(line)
        self.url, self.domain, self.ca_file = ready["url"], ready["domain"], ready["ca_file"]
        self.client_id, self.client_secret = ready["client_id"], ready["client_secret"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()

    def config(self, path, **options):
        """Writes a `config.json` for this sandbox that manages the kinds of this release."""
        path.parent.mkdir(parents=True, exist_ok=True)
        values = {
            "AUTH0_DOMAIN": self.domain,
            "AUTH0_CLIENT_ID": self.client_id,
            "AUTH0_CLIENT_SECRET": self.client_secret,
            "AUTH0_ALLOW_DELETE": False,
            "AUTH0_INCLUDED_ONLY": KINDS,
        }
        path.write_text(json.dumps(values | options, indent=2), encoding="utf-8")
        return path

    @property
    def env(self):
        """What makes both tools trust the sandbox's certificate."""
        return {"NODE_EXTRA_CA_CERTS": self.ca_file, "SSL_CERT_FILE": self.ca_file}

    def searched(self, what, done, env):
        """A run of Tenantry may show no secret: neither the deployer's nor one that it was given."""
        given = {name: value for name, value in env.items() if "SECRET" in name and len(value) >= 8}
        for name, secret in (given | {"the client secret": self.client_secret}).items():
            # Of a text within JSON, as it stands there.
            if secret in done.out or json.dumps(secret)[1:-1] in done.out:
                raise Failed(f"{what}: tenantry shows {name}")

    def reset(self):
        """Makes the tenant fresh again; credentials stay."""
        self.control("POST", "reset", {})

    def control(self, method, path, body=None):
        """Uses a control of the sandbox."""
        context = ssl.create_default_context(cafile=self.ca_file)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", method=method, data=data)
        with urllib.request.urlopen(request, context=context, timeout=600) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def exchanges(self, skip_first=0):
        """The recorded exchanges of the Management API, without the first ones."""
        if not self.record.exists():
            return []
        lines = self.record.read_text(encoding="utf-8").splitlines()
        every = [json.loads(line) for line in lines]
        return [entry for entry in every if entry["path"].startswith("/api/v2/")][skip_first:]


def mappings_for(folder, known):
    """Values for every marker in a description: those that are known, made-up ones for the rest."""
    names = set()
    for path in Path(folder).rglob("*"):
        if path.is_file():
            names |= set(MARKER.findall(path.read_text(encoding="utf-8", errors="replace")))
    return {name: known.get(name, f"made-up-{name.lower()}") for name in sorted(names - TEXT)}


def main(check):
    """Runs a script's main function and turns its outcome into an exit code."""
    try:
        check()
    except Failed as failed:
        print(f"error: {failed}", file=sys.stderr)
        sys.exit(1)
