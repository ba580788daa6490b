"""The integration's manifest, as Zendesk polls it."""

from typing import Any, Final

from admin_callback.settings import Settings

VERSION: Final = "0.2.0"  # the project's; a test holds it to pyproject.toml
ADMIN_UI_PATH: Final = "/admin_ui"
CHANNELBACK_PATH: Final = "/channelback"
EVENT_CALLBACK_PATH: Final = "/event_callback"
HEALTHCHECK_PATH: Final = "/healthcheck"
MANIFEST_PATH: Final = "/manifest.json"


def render(settings: Settings, origin: str) -> dict[str, Any]:
    """The manifest with absolute URLs below ``origin`` (such as https://push.example.com).

    Zendesk's own sample has relative URLs, its published schema asks for https ones: absolute ones satisfy both.
    What is not configured is left out, since Zendesk's schema refuses empty strings.
    """
    optional = {
        "author": settings.integration_author,
        # Without it Zendesk's form has neither an instance_push_id nor a token.
        "push_client_id": settings.push_client_id,
    }
    urls = {
        "admin_ui": origin + ADMIN_UI_PATH,
        "event_callback_url": origin + EVENT_CALLBACK_PATH,
        "healthcheck_url": origin + HEALTHCHECK_PATH,
    }
    files: dict[str, bool] = {}
    if settings.replies_queue_url:
        urls["channelback_url"] = origin + CHANNELBACK_PATH
        # Agents' attachments can only be downloaded with the push token, which does not go along with a reply.
        files["channelback_files"] = False
    return {
        "name": settings.integration_name,
        "id": settings.integration_id,
        "version": VERSION,
        **{key: value for key, value in optional.items() if value},
        **files,
        "urls": urls,
    }
