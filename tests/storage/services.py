"""The three clouds, each on loopback: what a story needs of a bucket besides the command that is tried.

S3 is moto. Azure is Azurite. For Google Cloud Storage no emulator that a registry has speaks the XML interface with uploads in
parts, which is the one that is used; Google made that interface after S3's, so moto answers it too, behind a door that asks for a
bearer token and answers as Google does where it is missing.
"""

import base64
import hashlib
import hmac
import logging
import os
import re
import shutil
import subprocess
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from peer import Failed

BUCKET = "tenantry-backups"


class Absent(Exception):
    """What this machine lacks, and the word of REQUIRE for it."""

    def __init__(self, need, why):
        super().__init__(why)
        self.need = need


def answered(method, url, body=None, headers=None, wanted=True):
    """One request; None where there is no such thing and that is no error."""
    request = urllib.request.Request(url, method=method, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        if error.code == 404 and not wanted:
            return None
        raise Failed(f"{method} {url.split('?')[0]}: {error.code} {error.read()[:300]}") from error


def tags(xml, tag):
    return re.findall(f"<{tag}>([^<]*)</{tag}>", xml.decode())


class Moto:
    """S3, as moto speaks it; with `door`, requests to moto pass it first."""

    name, scheme = "S3 (moto)", "s3"
    # Wrong credentials and the help that they get: moto looks at no signature.
    wrong = None
    # Credentials that may write and not read.
    write_only = None
    # An upload is seen from its beginning, and can be taken back.
    shows_uploads = True

    def __init__(self):
        try:
            import boto3
            from moto.server import DomainDispatcherApplication, create_backend_app
            from werkzeug.serving import make_server
        except ImportError:
            raise Absent("python", f"moto[server] is not installed in this Python, so no {self.name} can be asked") from None
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        moto = DomainDispatcherApplication(create_backend_app)
        self.server = make_server("127.0.0.1", 0, moto, threaded=True)
        self.doors = [self.server]
        host, port = self.server.server_address
        self.url = f"http://{host}:{port}"
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        self.open(make_server, moto)
        for door in self.doors:
            threading.Thread(target=door.serve_forever, daemon=True).start()

    def open(self, make_server, moto):
        """Opens further doors to the same buckets."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for bucket in self.client.list_buckets()["Buckets"]:
            self.empty(bucket["Name"])
        for door in self.doors:
            door.shutdown()
            door.server_close()

    def empty(self, bucket):
        for entry in self.client.list_objects_v2(Bucket=bucket).get("Contents", []):
            self.client.delete_object(Bucket=bucket, Key=entry["Key"])
        self.client.delete_bucket(Bucket=bucket)

    @property
    def env(self):
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
        }

    def create(self):
        self.client.create_bucket(Bucket=BUCKET)

    def remove(self):
        self.empty(BUCKET)

    def names(self):
        found = self.client.list_objects_v2(Bucket=BUCKET, Prefix="prod/").get("Contents", [])
        return sorted(entry["Key"] for entry in found)

    def put(self, file, content):
        # Behind the door nobody is known, and moto shows nobody what is private.
        self.client.put_object(Bucket=BUCKET, Key=f"prod/{file}", Body=content, ACL="public-read")

    def get(self, file):
        return self.client.get_object(Bucket=BUCKET, Key=f"prod/{file}")["Body"].read()

    def open_uploads(self):
        """Uploads that were begun and neither completed nor taken back."""
        found = self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return [(entry["Key"], entry["UploadId"]) for entry in found]

    def discard(self, uploads):
        for key, upload in uploads:
            self.client.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload)


class Google(Moto):
    """Google Cloud Storage: its own client against its own paths and tokens, answered by moto."""

    name, scheme = "Google Cloud Storage (its client and paths, moto's buckets)", "gs"
    wrong = ({"GOOGLE_BEARER_TOKEN": "of somebody else"}, "set GOOGLE_APPLICATION_CREDENTIALS")
    TOKEN = "a token"

    def open(self, make_server, moto):
        body = b"<?xml version='1.0'?><Error><Code>AuthenticationRequired</Code><Message>Authentication required.</Message></Error>"

        def door(environ, start):
            if environ.pop("HTTP_AUTHORIZATION", None) != f"Bearer {self.TOKEN}":
                start("401 Unauthorized", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
                return [body]
            # Google's client escapes more than it has to, and moto looks at what was written.
            environ["RAW_URI"] = environ["REQUEST_URI"] = f"{urllib.parse.quote(environ['PATH_INFO'])}?{environ['QUERY_STRING']}"
            return moto(environ, start)

        self.doors.append(make_server("127.0.0.1", 0, door, threaded=True))

    @property
    def env(self):
        host, port = self.doors[-1].server_address
        return {"GOOGLE_BASE_URL": f"http://{host}:{port}", "GOOGLE_BEARER_TOKEN": self.TOKEN}


class Azurite:
    """Azure, as Microsoft's own emulator speaks it."""

    name, scheme = "Azure (Azurite)", "az"
    # A block is seen when it has come, and nobody can take it back: Azure forgets blocks of no blob after a week.
    shows_uploads = False
    # Of the emulator; it is in its documentation, for everybody.
    ACCOUNT = "devstoreaccount1"
    KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    wrong = ({"AZURE_STORAGE_ACCOUNT_KEY": base64.b64encode(b"another" * 8).decode()}, "set AZURE_STORAGE_ACCOUNT_NAME")

    @property
    def write_only(self):
        return {"AZURE_STORAGE_ACCOUNT_KEY": "", "AZURE_STORAGE_SAS_TOKEN": self.signed("wc")}

    def __init__(self):
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        home = Path(os.environ.get("TENANTRY_AZURITE", cache / "tenantry-ci" / "azurite"))
        program = home / "node_modules" / ".bin" / "azurite-blob"
        node = shutil.which("node")
        if node is None or not program.exists():
            raise Absent("node", "Azurite is not installed here, so no Azure can be asked")
        self.folder = tempfile.TemporaryDirectory(prefix="tenantry-azurite-")
        words = [node, program, "--blobPort", "0", "--inMemoryPersistence", "--silent", "--disableTelemetry"]
        self.process = subprocess.Popen(
            words, cwd=self.folder.name, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said = []
        for line in self.process.stdout:
            said.append(line.decode())
            if found := re.search(r"listens on (http://127\.0\.0\.1:\d+)", said[-1]):
                break
        else:
            raise Failed(f"Azurite did not start: {''.join(said)}")
        self.url = f"{found[1]}/{self.ACCOUNT}"
        self.container = f"{self.url}/{BUCKET}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.folder.cleanup()

    @property
    def env(self):
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": self.ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": self.KEY,
            "AZURE_STORAGE_ENDPOINT": self.url,
        }

    def signed(self, permissions="rwdlac"):
        """A shared access signature for the whole account, as Azure's documentation says how to make one."""
        version, services, types, end = "2020-08-04", "b", "sco", "2099-01-01T00:00:00Z"
        lines = [self.ACCOUNT, permissions, services, types, "", end, "", "https,http", version, ""]
        digest = hmac.new(base64.b64decode(self.KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
        fields = {"sv": version, "ss": services, "srt": types, "sp": permissions, "se": end, "spr": "https,http"}
        return urllib.parse.urlencode(fields | {"sig": base64.b64encode(digest).decode()})

    def create(self):
        answered("PUT", f"{self.container}?restype=container&{self.signed()}", b"")

    def remove(self):
        answered("DELETE", f"{self.container}?restype=container&{self.signed()}")

    def listed(self, more=""):
        return answered("GET", f"{self.container}?restype=container&comp=list&prefix=prod/{more}&{self.signed()}")

    def names(self):
        return sorted(tags(self.listed(), "Name"))

    def put(self, file, content):
        answered("PUT", f"{self.container}/prod/{file}?{self.signed()}", content, {"x-ms-blob-type": "BlockBlob"})

    def get(self, file):
        return answered("GET", f"{self.container}/prod/{file}?{self.signed()}")

    def open_uploads(self):
        return sorted(set(tags(self.listed("&include=uncommittedblobs"), "Name")) - set(self.names()))

    def discard(self, uploads):
        """Nobody can."""


EVERY = [Moto, Google, Azurite]
