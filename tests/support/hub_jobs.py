"""Two more parts of our Hub: listing and deleting datasets, and Hugging Face Jobs.

A job runs when a test says so: `hub.work = function(job)` is called in a thread for each new job, and writes `job.log`
and `job.stage`. Without one, jobs stay as they are made. `hub.cut_logs` makes the next streams of logs end after so
many lines, by a broken connection.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import yaml

_JOB = r"(?P<owner>[\w.-]+)/(?P<job>[0-9a-f]{24})"
ROUTES = {
    "delete": ("DELETE", r"/api/repos/delete"),
    "listing": ("GET", r"/api/datasets"),
    "job_submit": ("POST", r"/api/jobs/(?P<owner>[\w.-]+)"),
    "job_list": ("GET", r"/api/jobs/(?P<owner>[\w.-]+)"),
    "job_inspect": ("GET", rf"/api/jobs/{_JOB}"),
    "job_logs": ("GET", rf"/api/jobs/{_JOB}/logs"),
    "job_cancel": ("POST", rf"/api/jobs/{_JOB}/cancel"),
}
ENDED = ("COMPLETED", "CANCELED", "ERROR", "DELETED")


@dataclass
class Job:
    """`asked` is the JSON that it was submitted with, secrets too."""

    id: str
    owner: str
    asked: dict[str, Any]
    stage: str = "SCHEDULING"
    message: str | None = None
    log: list[str] = field(default_factory=list)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def environment(self) -> dict[str, str]:
        """What a process of the job finds around it."""
        own = {"JOB_ID": self.id, "ACCELERATOR": "none", "CPU_CORES": "2", "MEMORY": "16Gi"}
        return {**own, **self.asked["environment"], **self.asked.get("secrets", {})}

    def to_json(self) -> dict[str, Any]:
        asked = {name: self.asked.get(name) for name in ("dockerImage", "command", "arguments", "environment")}
        return {
            **asked,
            "id": self.id,
            "createdAt": self.created.isoformat().replace("+00:00", "Z"),
            "flavor": self.asked["flavor"],
            "labels": self.asked.get("labels"),
            "secrets": dict.fromkeys(self.asked.get("secrets", {}), ""),
            "status": {"stage": self.stage, "message": self.message},
            "owner": {"id": "1", "name": self.owner, "type": "user"},
        }


class Stream(bytes):
    """An answer of server-sent events; `whole` is False where the connection breaks behind it."""

    whole = True


class HubJobs:
    """A part of HubServer, which has users, repos, `_writable` and `info`."""

    work: Callable[[Job], None] | None = None

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.cut_logs: list[int] = []

    def delete(self: Any, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        asked = json.loads(body)
        name = f"{asked.get('organization') or user}/{asked['name']}"
        self._writable(user, name)
        del self.repos[name]
        return {}

    def listing(self: Any, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        asked = parse_qs(parts["query"])
        author, tags = asked.get("author", [""])[0], asked.get("filter", [])
        names = [name for name in self.repos if not name.startswith("spaces/")]
        seen = [name for name in names if not self.repos[name].private or self._owns(user, name.split("/")[0])]
        found = [self.info(user, {"repo": name}, b"") for name in seen if not author or name.split("/")[0] == author]
        return [repo for repo in found if all(tag in repo["tags"] for tag in tags)]

    def job_submit(self: Any, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        self._check_owner(user, parts)
        job = Job(f"{len(self.jobs) + 1:024x}", parts["owner"], json.loads(body))
        self.jobs.append(job)
        if self.work is not None:
            threading.Thread(target=self.work, args=(job,), daemon=True).start()
        return job.to_json()

    def job_list(self: Any, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        self._check_owner(user, parts)
        asked = parse_qs(parts["query"])
        labels = {tuple(label.split("=", 1)) for label in asked.get("label", [])}
        stages = asked.get("stage")
        of_owner = [job for job in self.jobs if job.owner == parts["owner"] and (not stages or job.stage in stages)]
        return [job.to_json() for job in of_owner if labels <= set((job.asked.get("labels") or {}).items())]

    def job_inspect(self: Any, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        return self._job(user, parts).to_json()

    def job_cancel(self: Any, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        self._job(user, parts).stage = "CANCELED"
        return {}

    def job_logs(self: Any, user: str | None, parts: dict[str, str], body: bytes) -> Any:
        job = self._job(user, parts)
        lines = ["===== Job started at 2026-01-01 00:00:00 =====", *job.log]
        cut = self.cut_logs.pop(0) if self.cut_logs else None
        events = [f"data: {json.dumps({'data': line, 'timestamp': '2026-01-01'})}\n\n" for line in lines[:cut]]
        stream = Stream(b": keep-alive\n\n" + "".join(events).encode())
        stream.whole = cut is None
        return stream

    def wait(self: Any, job: Job, stage: str = "") -> Job:
        """Wait until a job has ended, or is at a stage."""
        for _ in range(2000):
            if job.stage in ((stage,) if stage else ENDED):
                return job
            time.sleep(0.01)
        raise AssertionError(f"the job is still {job.stage}: {job.log}")

    def _check_owner(self: Any, user: str | None, parts: dict[str, str]) -> None:
        from support.hub_server import _AnswerError

        if user is None or not self._owns(user, parts["owner"]):
            raise _AnswerError(403, message=f"You may not see the jobs of {parts['owner']}")

    def _job(self: Any, user: str | None, parts: dict[str, str]) -> Job:
        from support.hub_server import _AnswerError

        self._check_owner(user, parts)
        for job in self.jobs:
            if (job.owner, job.id) == (parts["owner"], parts["job"]):
                return job
        raise _AnswerError(404, message="Job not found")


def tags_of(card: bytes) -> list[str]:
    """What the card of a dataset says of itself."""
    text = card.decode()
    front = yaml.safe_load(text.split("---\n")[1]) if text.startswith("---\n") else None
    return list((front or {}).get("tags") or [])
