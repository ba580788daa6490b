"""The invariants, as functions from a world to the sentences that say where it breaks them."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from push_content.outcomes.dead_letters import OWN_NAMES, restore_attributes
from push_content.outcomes.outcome import ErrorCode
from unit.delivery.watch import SUBDOMAINS, Invocation
from unit.delivery.world import MAX_DELAY, MAX_RESOURCES, WINDOW, DeliveryWorld
from zendesk_channel.contract import PushToken
from zendesk_push.bench.traffic import CANARY, Sent
from zendesk_push.in_memory.sqs_queue import QueuedMessage

_INDEX = re.compile(r"#/external_resources/(\d+)")
_ID = re.compile(r"\b(m\d+)\.\d+")
_REFUSALS = ("zendesk_400", "zendesk_413", "zendesk_422")


def lost(world: DeliveryWorld) -> Iterator[str]:
    """Every message is on the queue, in Zendesk, or dead with a reason."""
    queue = world.on_queue()
    dead = {letter.body for letter in world.letters()}
    for body, sent in world.sent.items():
        if body not in queue and body not in dead and not world.delivered(sent):
            yield f"{sent.key} is lost"
    for body in (queue | dead) - world.sent.keys():
        yield f"nobody sent {body[:80]!r}"
    if world.live.expired_count:
        yield "a message has outlived the queue's retention"


class LetterCheck:
    """Every dead letter is the message that was sent, with a reason that holds. Looks at each once."""

    def __init__(self, world: DeliveryWorld) -> None:
        self._world = world
        self._seen: set[str] = set()
        self.vague: set[str] = set()  # accounts that Zendesk has refused requests of without saying why

    def __call__(self) -> Iterator[str]:
        for letter in self._world.letters():
            if letter.message_id not in self._seen:
                self._seen.add(letter.message_id)
                sent = self._world.sent.get(letter.body)
                if sent is not None:
                    yield from (f"the dead letter of {sent.key} {what}" for what in self._of(letter, sent))

    def _of(self, letter: QueuedMessage, sent: Sent) -> Iterator[str]:
        values = {name: letter.attributes.get(name, {}).get("StringValue", "") for name in OWN_NAMES}
        if not all(values.values()):
            yield "has no reason"
            return
        if restore_attributes(letter.attributes) != sent.attributes:
            yield "does not hold the message's attributes"
        if letter.group_id != sent.account:
            yield "has lost its group"
        if values["ErrorCode"] not in set(ErrorCode):
            yield f"has an unknown code {values['ErrorCode']}"
        if values["RequestID"] != sent.request_id and not (
            sent.request_id is None and values["RequestID"].startswith("lambda-")
        ):
            yield f"names the request {values['RequestID']}"
        context = json.loads(values["Context"])
        # Of what is not a message, it may be named as far as it can be read.
        if context["account"] != sent.account and not (
            sent.invalid and f'"{context["account"]}"' in sent.body
        ):
            yield f"names the account {context['account']}"
        age = datetime.fromisoformat(context["failed_at"]) - datetime.fromisoformat(context["sent_at"])
        yield from self._reason(sent, values["ErrorCode"], values["ErrorMessage"], age.total_seconds())

    def _reason(self, sent: Sent, code: str, text: str, age: float) -> Iterator[str]:
        foreign = set(_ID.findall(text)) - {sent.key, *(parent.split(".")[0] for parent in sent.parents)}
        if foreign:
            yield f"speaks of {foreign}"
        if sent.invalid or code == "invalid_message":
            if not (sent.invalid and code == "invalid_message"):
                yield f"says {code}"
        elif code in _REFUSALS:
            indices = {int(index) for index in _INDEX.findall(text)}
            if sent.account in self.vague:
                return
            if not indices or not indices <= sent.poison:
                yield f"names the resources {indices}, but wrong are {set(sent.poison)}"
        elif age < WINDOW - 0.01:
            yield f"gives up with {code} after {age} s"


class RequestCheck:
    """Every push request holds what was sent, word for word, and no more than it may. Looks at each once."""

    def __init__(self, world: DeliveryWorld) -> None:
        self._world = world
        self._by_key: dict[str, Sent] = {}
        self._seen = 0

    def __call__(self) -> Iterator[str]:
        self._by_key = {sent.key: sent for sent in self._world.sent.values()}
        requests = self._world.zendesk.requests
        for request in requests[self._seen :]:
            if request.endpoint == "push" and request.body:
                yield from self._of(request.body.decode())
        self._seen = len(requests)

    def _of(self, text: str) -> Iterator[str]:
        body = json.loads(text)
        resources = body["external_resources"]
        if len(resources) > MAX_RESOURCES:
            yield f"a request holds {len(resources)} resources"
        ids = [each.get("external_id") for each in resources if isinstance(each, dict)]
        known = [each for each in ids if isinstance(each, str) and _ID.fullmatch(each)]
        for external_id in known:
            key, index = external_id.split(".")
            sent = self._by_key[key]
            if sent.resources[int(index)][1] not in text:
                yield f"{external_id} was changed"
            if body["instance_push_id"] != sent.account or body.get("request_id") != sent.request_id:
                yield f"{external_id} went out as another account's or request's"
        for external_id, number in Counter(known).items():
            if number > 1 and external_id.split(".")[0] not in self._world.redriven:
                yield f"{external_id} is in one request twice"


def ended(world: DeliveryWorld, invocation: Invocation) -> Iterator[str]:
    """What an invocation owes to the messages it was given."""
    assert invocation.answer is not None
    failures = [failure["itemIdentifier"] for failure in invocation.answer["batchItemFailures"]]
    bodies = {record["messageId"]: record["body"] for record in invocation.event["Records"]}
    if set(failures) - bodies.keys():
        yield "an id was reported that is not in the batch"
    if len(failures) != len(set(failures)):
        yield "a message has two outcomes"
    if not invocation.undisturbed:
        return
    staying = {bodies[key] for key in failures}
    # Of an earlier invocation there may be a letter too: one that died between sending and deleting.
    dead = {letter.body for letter in world.letters() if letter.sent_at >= invocation.started_at}
    for body in staying & dead:
        if world.sent[body].key not in world.redriven:
            yield f"{world.sent[body].key} stays and is dead"
    for message in world.live.messages():
        if message.message_id in failures and not 0 < message.visible_at - world.clock() <= MAX_DELAY:
            yield f"{world.sent[message.body].key} waits for {message.visible_at - world.clock()} s"
    for sent in world.sent.values():
        if sent.invalid and sent.body in staying:
            yield f"{sent.key} is not a message and stays"
    yield from _overtaken(world, invocation, staying)
    yield from _served(world, invocation, staying)
    yield from _requests(world, invocation, [world.sent[body] for body in bodies.values()])


def _overtaken(world: DeliveryWorld, invocation: Invocation, staying: set[str]) -> Iterator[str]:
    """Nothing reaches Zendesk in an invocation that leaves what is before it in its thread behind."""
    records = sorted(
        invocation.event["Records"], key=lambda record: int(record["attributes"]["SentTimestamp"])
    )
    left: dict[tuple[str | None, str], str] = {}
    for sent in dict.fromkeys(world.sent[record["body"]].key for record in records):
        this = next(each for each in world.sent.values() if each.key == sent)
        if this.thread is None or this.key in world.redriven:
            continue
        place = (this.account, this.thread)
        if place in left and this.body not in invocation.imported_before and world.delivered(this):
            yield f"{this.key} has overtaken {left[place]}"
        if this.body in staying and not world.delivered(this):
            left.setdefault(place, this.key)


def _served(world: DeliveryWorld, invocation: Invocation, staying: set[str]) -> Iterator[str]:
    """Where nothing is wrong with an account, everything that can be decided is, whatever stands beside it."""
    for sent in invocation.deliverable:
        if _has_quota(world, sent) and sent.body in staying:
            yield f"{sent.key} was held up, by nothing"


def _has_quota(world: DeliveryWorld, sent: Sent) -> bool:
    subdomain = SUBDOMAINS[sent.account or ""]
    return world.zendesk.rate_limits.remaining(subdomain, world.clock()) > MAX_RESOURCES


def deliverable(world: DeliveryWorld, invocation: Invocation) -> list[Sent]:
    """The messages of a batch that can get their final outcome now, if nothing gets in the way."""
    return [
        sent
        for body in dict.fromkeys(record["body"] for record in invocation.event["Records"])
        if not (sent := world.sent[body]).invalid
        and healthy(world, sent.account or "")
        and not world.troubled(sent.account or "")
        and all(_is_imported(world, sent.account or "", parent) for parent in sent.parents)
    ]


def healthy(world: DeliveryWorld, key: str) -> bool:
    """The account is registered, active, not paused, and Zendesk takes its token."""
    record = world.record(key)
    if record is None or record.state != "active" or record.refused or record.paused_until > world.clock():
        return False
    theirs = world.zendesk.accounts.get(key)
    tokens = {token.value for token in theirs.tokens}
    known = {PushToken(token).version for token in world.confirmed[key] & tokens}
    return (
        record.paused_by_operator_at is None
        and theirs.state == "active"
        and record.token_version in known
        and world.table.paused_until.get(record.subdomain, 0) <= world.clock()
    )


def _requests(world: DeliveryWorld, invocation: Invocation, batch: list[Sent]) -> Iterator[str]:
    """As many requests as the messages need; one more for each that holds offences, and for each failure."""
    pushes = Counter(invocation.pushes)
    unique = list({sent.body: sent for sent in batch}.values())
    again = {
        record["body"]
        for record in invocation.event["Records"]
        if int(record["attributes"]["ApproximateReceiveCount"]) > 1
    }
    for key, number in pushes.items():
        record = invocation.standing[key].account if key in invocation.standing else None
        if (
            record is None
            or world.troubled(key)
            or record.request_limit
            or record.refused_version
            or record.pending_version
        ):
            continue
        own = [sent for sent in unique if sent.account == key]
        if any(sent not in invocation.deliverable for sent in own if not sent.parents):
            continue
        needed = 0
        for request_id in {sent.request_id for sent in own}:
            for request in _filled([sent for sent in own if sent.request_id == request_id]):
                needed += 1 + any(sent.poison for sent in request)
        # What failed by itself before goes in a request of its own.
        needed += sum(1 for sent in own if sent.body in again)
        failing = sum(1 for sent in own if sent.parents)
        if number > needed + failing * (1 + needed):
            yield f"{number} requests for {key}, where {needed} are enough"


def _filled(messages: Iterable[Sent]) -> Iterator[list[Sent]]:
    request: list[Sent] = []
    room = MAX_RESOURCES
    for sent in messages:
        size = len(sent.resources)
        if size > room and request:
            yield request
            request, room = [], MAX_RESOURCES
        while size > MAX_RESOURCES:
            yield [sent]
            size -= MAX_RESOURCES
        request.append(sent)
        room -= size
    if request:
        yield request


def told(world: DeliveryWorld) -> Iterator[str]:
    """No token and no customer's words in what the function says about its work."""
    output = world.output.getvalue()
    if any(token in output for token in world.tokens()):
        yield "a token was logged"
    if CANARY in output:
        yield "a message's text was logged"


def in_order(world: DeliveryWorld) -> Iterator[str]:
    """A message's resources became comments in their order."""
    for sent in world.sent.values():
        if sent.account in SUBDOMAINS and sent.good and world.delivered(sent):
            account = world.zendesk.accounts.get(sent.account)
            comments = [
                comment.id
                for external_id, _ in sent.resources
                if (comment := world.zendesk.tickets.comment(account, external_id or ""))
            ]
            if comments != sorted(comments):
                yield f"{sent.key} was imported out of order"


def _is_imported(world: DeliveryWorld, key: str, external_id: str) -> bool:
    return world.zendesk.tickets.comment(world.zendesk.accounts.get(key), external_id) is not None
