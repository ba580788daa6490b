"""The public side: what Zendesk and administrators reach."""

import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from zendesk_channel.addresses import is_loopback
from zendesk_push.commands.doctor.findings import Finding, fail, ok, skip, warn
from zendesk_push.commands.doctor.manifest_rules import manifest_problems
from zendesk_push.deployment import Deployment

_TIMEOUT: Final = urllib3.Timeout(connect=5, read=15)  # seconds: a cold start is within it
_MAX_BYTES: Final = 1024 * 1024
_LOGS: Final = "look into the admin function's log group"
_NETWORK: Final = (
    "Zendesk can't reach it either, unless it is this machine's network: check its name and certificate"
)


def check_http(deployment: Deployment) -> Iterator[Finding]:
    """Manifest and health check, as anybody on the internet gets them."""
    if deployment.api_url is None:
        yield skip("manifest", "the API's address is not known: give --stack-name or --api-url")
        yield skip("healthcheck", "the API's address is not known: give --stack-name or --api-url")
        return
    pool = _pool(deployment.api_url)
    known = deployment.local or bool(deployment.resources)
    replies = deployment.replies_queue_url is not None if known else None
    yield _check_manifest(pool, deployment.api_url, replies)
    yield _check_health(pool, deployment.api_url)


def _pool(url: str) -> urllib3.PoolManager:
    """Through the proxy that the environment names, as boto3 does, but never for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxy = None if is_loopback(host) or proxy_bypass(host) else getproxies().get(parts.scheme)
    if proxy:
        return urllib3.ProxyManager(proxy, retries=False, timeout=_TIMEOUT)
    return urllib3.PoolManager(retries=False, timeout=_TIMEOUT)


def _check_manifest(pool: urllib3.PoolManager, api_url: str, replies: bool | None) -> Finding:
    url = f"{api_url}/manifest.json"
    status, content_type, body = _get(pool, url)
    if status == 0:
        return fail("manifest", f"{url}: {body}", _NETWORK)
    if status != 200:
        return fail("manifest", f"{url}: HTTP {status}", f"Zendesk can't read it: {_LOGS}")
    try:
        manifest = json.loads(body)
    except ValueError:
        return fail("manifest", f"{url}: not JSON", _LOGS)
    problems = manifest_problems(manifest, api_url, replies)
    if problems:
        return fail(
            "manifest", f"{url}: {'; '.join(problems)}", "correct the stack's parameters and deploy again"
        )
    if content_type.split(";")[0].strip() != "application/json":
        return warn("manifest", f"{url}: served as {content_type!r}", "it should be application/json")
    return ok("manifest", f"{url}: {manifest['name']!r}, push_client_id {manifest['push_client_id']!r}")


def _check_health(pool: urllib3.PoolManager, api_url: str) -> Finding:
    url = f"{api_url}/healthcheck"
    status, _, body = _get(pool, url)
    if status == 200 and _is_healthy(body):
        return ok("healthcheck", f"{url}: healthy")
    if status == 0:
        return fail("healthcheck", f"{url}: {body}", _NETWORK)
    return fail("healthcheck", f'{url}: HTTP {status}, not {{"status": "ok"}}', _LOGS)


def _is_healthy(body: str) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("status") == "ok"


def _get(pool: urllib3.PoolManager, url: str) -> tuple[int, str, str]:
    """Status, content type and body; status 0 and the reason where there was no answer. Redirects are not followed."""
    try:
        answer = pool.request("GET", url, redirect=False, preload_content=False)
        try:
            body = answer.read(_MAX_BYTES).decode("utf-8", "replace")
        finally:
            answer.release_conn()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        # urllib3 says first which of its objects it was: HTTPSConnection(host='…', port=443): …
        return 0, "", " ".join(str(error).split()).split("): ", 1)[-1]
    return answer.status, answer.headers.get("Content-Type", ""), body
