"""Write the ZIP that an administrator uploads to Zendesk (Admin Center > Apps and integrations > Zendesk Support
apps > Upload private app). It holds no code: it only tells Zendesk where the integration's manifest is.

The manifest's URL can't be changed in a published app: decide on a domain of your own first.
"""

import argparse
from pathlib import Path
from typing import Final

from zendesk_push.commands.installer_app.app import InstallerApp, check_manifest_url
from zendesk_push.deployment import add_deployment_arguments, find_deployment
from zendesk_push.errors import CommandError, UsageError
from zendesk_push.terminal import print_json, remark

_MAX_LOGO: Final = 1 << 20  # bytes


EXAMPLES: Final = """\
examples:
  zendesk-push installer-app --stack-name push --author-email help@example.com
  zendesk-push installer-app --manifest-url https://push.example.com/manifest.json --author-email help@example.com"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--manifest-url", metavar="URL", help="https URL of the manifest; otherwise the deployment's"
    )
    parser.add_argument(
        "--author-email",
        metavar="EMAIL",
        help="required: where administrators may ask for help; Zendesk shows it to them",
    )
    parser.add_argument(
        "--output", metavar="PATH", type=Path, default=Path("installer-app.zip"), help="default: %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    parser.add_argument(
        "--name",
        default="Zendesk Push",
        help="the app's name, as administrators see it (default: %(default)s)",
    )
    parser.add_argument("--author-name", default="zendesk-push", help="who made it (default: %(default)s)")
    parser.add_argument(
        "--key",
        default="zendesk_push",
        help="the integration's key in requirements.json (default: %(default)s)",
    )
    parser.add_argument(
        "--app-version",
        metavar="VERSION",
        default="1.0.0",
        help="the app's own version (default: %(default)s)",
    )
    audience = parser.add_mutually_exclusive_group()
    audience.add_argument(
        "--private",
        action="store_true",
        default=True,
        help="for the accounts that it is uploaded to (the default)",
    )
    audience.add_argument(
        "--public", dest="private", action="store_false", help="for Zendesk's Marketplace, which reviews it"
    )
    parser.add_argument("--logo", metavar="PNG", type=Path, help="320 x 320 pixels, instead of ours")
    parser.add_argument("--logo-small", metavar="PNG", type=Path, help="128 x 128 pixels, instead of ours")
    add_deployment_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Write the ZIP and say what is in it."""
    if not args.author_email:
        raise UsageError(
            "where can administrators ask for help? Give --author-email ADDRESS: Zendesk shows it to them"
        )
    manifest_url = args.manifest_url or _deployments(args)
    check_manifest_url(manifest_url)
    app = InstallerApp(
        manifest_url=manifest_url,
        name=args.name,
        author_name=args.author_name,
        author_email=args.author_email,
        key=args.key,
        version=args.app_version,
        private=args.private,
        logos=_logos(args),
    )
    output: Path = args.output
    _write(output, app.to_zip(), force=args.force)
    if args.json:
        print_json({"path": str(output), "manifest_url": manifest_url})
    else:
        print(output)
        remark(f"manifest: {manifest_url}")
    return 0


def _logos(args: argparse.Namespace) -> dict[str, bytes]:
    """The integrator's own, of which Zendesk shows now one and now the other: so both or none."""
    given = {"assets/logo.png": args.logo, "assets/logo-small.png": args.logo_small}
    paths = {inside: path for inside, path in given.items() if path is not None}
    if len(paths) == 1:
        raise UsageError(
            "--logo and --logo-small go together: Zendesk shows the one here and the other there"
        )
    logos = {}
    for inside, path in paths.items():
        try:
            with path.open("rb") as file:
                logos[inside] = file.read(_MAX_LOGO + 1)
        except OSError as error:
            raise UsageError(f"{path} can't be read: {error.strerror}") from error
        if len(logos[inside]) > _MAX_LOGO:
            raise UsageError(f"{path} is larger than 1 MiB")
    return logos


def _write(path: Path, content: bytes, *, force: bool) -> None:
    try:
        # The same bytes once more are no loss, so a script may repeat itself.
        if not force and path.exists() and path.read_bytes() != content:
            raise CommandError(f"{path} is there already: give --force to write over it, or another --output")
        path.write_bytes(content)
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror}") from error


def _deployments(args: argparse.Namespace) -> str:
    try:
        deployment = find_deployment(args)
    except UsageError as error:
        raise UsageError(
            f"where is the manifest? Give --manifest-url URL, or its deployment: {error}"
        ) from None
    if deployment.api_url is None:
        raise CommandError("the deployment's API address is not known: give --manifest-url URL")
    return f"{deployment.api_url}/manifest.json"
