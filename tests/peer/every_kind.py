"""Creates, changes and deletes something of every kind, and says which of these the recording lacks."""

import json
import re

from peer import KINDS, Failed, Sandbox, run

ONE = "/[^/]+"
# Of each kind: the writes that the API has (its description), as method and path. A kind's recording has to hold each.
WRITES = {
    "tenant": {"update": ("PATCH", "/tenants/settings")},
    "clients": {"create": ("POST", "/clients"), "update": ("PATCH", f"/clients{ONE}"), "delete": ("DELETE", f"/clients{ONE}")},
    "resourceServers": {
        "create": ("POST", "/resource-servers"),
        "update": ("PATCH", f"/resource-servers{ONE}"),
        "delete": ("DELETE", f"/resource-servers{ONE}"),
    },
    "clientGrants": {
        "create": ("POST", "/client-grants"),
        "update": ("PATCH", f"/client-grants{ONE}"),
        "delete": ("DELETE", f"/client-grants{ONE}"),
    },
    "connections": {
        "create": ("POST", "/connections", "strategy", "(?!auth0$).*"),
        "update": ("PATCH", f"/connections{ONE}"),
        "delete": ("DELETE", f"/connections{ONE}"),
    },
    "databases": {
        "create": ("POST", "/connections", "strategy", "auth0"),
        "update": ("PATCH", f"/connections{ONE}"),
        "delete": ("DELETE", f"/connections{ONE}"),
    },
    "roles": {"create": ("POST", "/roles"), "update": ("PATCH", f"/roles{ONE}"), "delete": ("DELETE", f"/roles{ONE}")},
    "actions": {
        "create": ("POST", "/actions/actions"),
        "update": ("PATCH", f"/actions/actions{ONE}"),
        "delete": ("DELETE", f"/actions/actions{ONE}"),
    },
    "triggers": {"update": ("PATCH", f"/actions/triggers{ONE}/bindings")},
    "pages": {"update": ("PATCH", f"/clients{ONE}|/tenants/settings")},
    "emailProvider": {
        "create": ("POST", "/emails/provider"),
        "update": ("PATCH", "/emails/provider"),
    },
    "emailTemplates": {"create": ("POST", "/email-templates"), "update": ("PATCH|PUT", f"/email-templates{ONE}")},
    "branding": {"update": ("PATCH", "/branding")},
    "prompts": {"update": ("PATCH", "/prompts")},
    "organizations": {
        "create": ("POST", "/organizations"),
        "update": ("PATCH", f"/organizations{ONE}"),
        "delete": ("DELETE", f"/organizations{ONE}"),
    },
    "attackProtection": {"update": ("PATCH", f"/attack-protection{ONE}")},
    "rules": {"create": ("POST", "/rules"), "update": ("PATCH", f"/rules{ONE}"), "delete": ("DELETE", f"/rules{ONE}")},
    "rulesConfigs": {"update": ("PUT", f"/rules-configs{ONE}"), "delete": ("DELETE", f"/rules-configs{ONE}")},
}

# Kinds that hold a set of resources, all of which go at the end.
DELETED = [kind for kind, writes in WRITES.items() if "delete" in writes]


def text(member):
    return lambda resource: resource | {member: f"{resource.get(member) or 'Now'} changed"}


def inside(*path, value):
    def edit(resource):
        at = resource
        for key in path[:-1]:
            at = at.setdefault(key, {})
        at[path[-1]] = value
        return resource

    return edit


# One edit per kind, on the file it lies in.
EDITS = [
    (r"tenant\.json", text("friendly_name")),
    (r"clients/[^/]+\.json", text("description")),
    (r"resource-servers/[^/]+\.json", text("name")),
    (r"grants/[^/]+\.json", lambda grant: grant | {"scope": grant["scope"][1:]}),
    (r"connections/[^/]+\.json", text("display_name")),
    (r"database-connections/[^/]+/database\.json", text("display_name")),
    (r"roles/[^/]+\.json", text("description")),
    (r"actions/[^/]+\.json", inside("dependencies", value=[{"name": "lodash", "version": "4.17.21"}])),
    (r"triggers/triggers\.json", lambda triggers: {name: bound[1:] for name, bound in triggers.items()}),
    (r"pages/login\.json", inside("enabled", value=False)),
    (r"pages/error_page\.json", inside("show_log_link", value=True)),
    (r"emails/provider\.json", inside("default_from_address", value="changed@travel0.example")),
    (r"emails/(?!provider)[^/]+\.json", text("subject")),
    (r"branding/branding\.json", inside("colors", "primary", value="#123456")),
    (r"prompts/prompts\.json", lambda prompts: prompts | {"identifier_first": not prompts.get("identifier_first")}),
    (r"organizations/[^/]+\.json", text("display_name")),
    (r"attack-protection/brute-force-protection\.json", inside("max_attempts", value=7)),
    (r"rules/[^/]+\.json", lambda rule: rule | {"enabled": not rule.get("enabled", True)}),
]


def tenantry(what, sandbox, command, env):
    done = run(command, sandbox.folder, sandbox.env | env)
    sandbox.searched(f"every kind: {what}", done, env)
    if done.code != 0:
        raise Failed(f"every kind: {what}: tenantry ended with {done.code}\n{done.out[-3000:]}")


def scenario(binary, project, work, records):
    """Deploys a project's sandbox elsewhere, edits something of every kind, and deletes all that can be deleted."""
    folder = work / "every-kind"
    with Sandbox(binary, folder) as sandbox:
        file = project / "tenantry.yaml"
        there = f"  there:\n    domain: {sandbox.domain}\n    policy: {{ delete: all }}\n"
        content = file.read_text(encoding="utf-8").replace("  sandbox:\n    sandbox: {}\n", there, 1)
        file.write_text(content, encoding="utf-8")
        env = {"AUTH0_CLIENT_ID": sandbox.client_id, "AUTH0_CLIENT_SECRET": sandbox.client_secret}
        tenantry("create", sandbox, [binary, "-C", project, "-e", "there", "apply", "--yes"], env)

        config = sandbox.config(folder / "config.json", AUTH0_ALLOW_DELETE=True)
        export = folder / "export"
        tenantry("export", sandbox, [binary, "-c", config, "export", "--format", "directory", "--files", "json", "-o", export], {})
        for path in sorted(export.rglob("*.json")):
            name = path.relative_to(export).as_posix()
            for pattern, edit in EDITS:
                if re.fullmatch(pattern, name):
                    path.write_text(json.dumps(edit(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
        secrets = {}
        for path in export.rglob("*"):
            if path.is_file():
                for found in re.findall(r"secrets\.([A-Za-z0-9_]+)", path.read_text(encoding="utf-8")):
                    secrets[f"TENANTRY_SECRET_{found.upper()}"] = f"value of {found}"
        send = [binary, "-c", config, "-i", export, "apply", "--yes", "--send-secrets"]
        tenantry("update", sandbox, send, secrets)

        nothing = folder / "nothing" / "tenant.yaml"
        nothing.parent.mkdir()
        # JSON is YAML. What is bound cannot be deleted, so nothing is bound any more.
        bound = json.loads((export / "triggers" / "triggers.json").read_text(encoding="utf-8"))
        content = {kind: [] for kind in DELETED} | {"triggers": {trigger: [] for trigger in bound}}
        nothing.write_text(json.dumps(content), encoding="utf-8")
        tenantry("delete", sandbox, [binary, "-c", config, "-i", nothing, "apply", "--yes"], {})
        missing = gaps(sandbox.exchanges())
        if missing:
            raise Failed("the recording lacks writes that the API has: " + ", ".join(missing))
        count = sum(len(writes) for writes in WRITES.values())
        print(f"ok   tenantry creates, changes and deletes: {count} sorts of writes of {len(WRITES)} kinds are recorded")
        records.append(sandbox.record)


def gaps(exchanges):
    """Names the writes of which the recording holds none that succeeded."""
    left_out = set(KINDS) - set(WRITES) - {"clientAuthCredentials"}
    missing = [f"{kind}: not looked at" for kind in sorted(left_out)]
    for kind, writes in WRITES.items():
        for what, (method, path, *member) in writes.items():
            if not any(fits(entry, method, path, *member) for entry in exchanges):
                missing.append(f"{kind}: {what}")
    return missing


def fits(entry, method, path, member=None, value=None):
    route = entry["path"].split("?")[0].removeprefix("/api/v2")
    if entry["status"] >= 300 or not re.fullmatch(method, entry["method"]) or not re.fullmatch(path, route):
        return False
    return member is None or re.fullmatch(value, str((entry["request_body"] or {}).get(member))) is not None
