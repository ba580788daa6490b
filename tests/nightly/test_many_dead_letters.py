"""Twenty thousand dead letters: nobody waits for minutes at night, and nothing of them is lost."""

import json
import time
from pathlib import Path
from typing import Any

import boto3

from worlds.running_local import running_local

COUNT = 20_000
A_MINUTE = 60


def test_they_are_listed_within_a_minute_and_purged_into_a_file(tmp_path: Path) -> None:
    with running_local(tmp_path) as local:
        sqs = boto3.client(
            "sqs",
            region_name=local.ready["region"],
            endpoint_url=local.ready["aws_endpoint_url"],
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        for start in range(0, COUNT, 10):
            entries: Any = [
                {"Id": str(one), "MessageBody": json.dumps({"instance_push_id": "acc", "n": start + one})}
                for one in range(10)
            ]
            sqs.send_message_batch(QueueUrl=local.ready["dead_letter_queue_url"], Entries=entries)
        started = time.monotonic()
        listed = local.run("dlq", "list", "--account", "acc", "--json").json
        assert time.monotonic() - started < A_MINUTE  # about 13 s on two cores
        assert len(listed) == COUNT
        file = tmp_path / "purged.jsonl"
        ran = local.run("dlq", "purge", "--account", "acc", "--yes", "--output", str(file))
        assert (ran.code, ran.out) == (0, "20,000 of 20,000 dead letters purged\n")
        bodies = [json.loads(json.loads(line)["body"])["n"] for line in file.read_text().splitlines()]
        assert sorted(bodies) == list(range(COUNT))
        assert local.run("dlq", "list", "--account", "acc").out == "no dead letters like that\n"
