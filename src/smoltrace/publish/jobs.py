"""Hugging Face Jobs: submitting an evaluation, finding it again, its log, and stopping it."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from smoltrace.errors import PublishError, UsageError
from smoltrace.publish.hub.account import account_for, token_for
from smoltrace.publish.hub.asking import api_of, persist
from smoltrace.publish.retry import Retry
from smoltrace.tasks.hub_client import network_errors, reason_of

if TYPE_CHECKING:
    from huggingface_hub import JobInfo

IMAGE: Final = "astral/uv:python3.12-bookworm"
"""Python 3.12 with uv, on Docker Hub, whose name needs no host."""
ENDED: Final = frozenset({"COMPLETED", "CANCELED", "ERROR", "DELETED"})
COMPLETED: Final = "COMPLETED"
TOKEN: Final = "HF_TOKEN"

_OURS: Final = {"smoltrace": "eval"}
_RUN, _SUBMISSION = "smoltrace-run", "smoltrace-submission"
_RUN_ID: Final = "SMOLTRACE_JOB_RUN_ID"
_JOB_ID: Final = re.compile(r"[0-9a-f]{24}")
_QUIET_S, _DRAINED_S = 120, 5
"""Seconds without a word after which a log that is followed is asked for anew, and one that is not is at its end. The
Hub sends a sign of life every 30."""


@dataclass(frozen=True, kw_only=True)
class JobSpec:
    """An evaluation as a job. `timeout` is a number with s, m, h or d; `secrets` are names of variables."""

    run_id: str
    command: Sequence[str]
    image: str = IMAGE
    flavor: str = "cpu-basic"
    timeout: str = "2h"
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = ()

    def labels(self) -> dict[str, str]:
        return {**_OURS, _RUN: _label(self.run_id), "name": f"smoltrace-{_label(self.run_id)}"[:100]}

    def variables(self) -> dict[str, str]:
        """The environment with what tells the run its kind of machine, and a list of jobs its run."""
        from smoltrace.evaluation.lives.machine import JOB_TYPE

        return {**self.environment, JOB_TYPE: self.flavor, _RUN_ID: self.run_id}

    def secret_names(self) -> list[str]:
        return list(dict.fromkeys([*self.secrets, TOKEN]))

    def to_json(self) -> dict[str, Any]:
        """What is sent, but for the values of secrets."""
        return {
            "run_id": self.run_id,
            "image": self.image,
            "command": list(self.command),
            "flavor": self.flavor,
            "timeout": self.timeout,
            "environment": self.variables(),
            "secrets": self.secret_names(),
            "labels": self.labels(),
        }


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the Hub tells it; `run_id` is None for one that was not submitted by smoltrace."""

    id: str
    run_id: str | None
    stage: str
    message: str | None
    flavor: str | None
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    url: str

    @property
    def has_ended(self) -> bool:
        return self.stage in ENDED


class Jobs:
    """The jobs of an account or organisation; `owner` None is the token's own account.

    Raises UsageError without a token. Its methods raise PublishError when the Hub fails.
    """

    def __init__(self, owner: str | None = None, retry: Retry | None = None) -> None:
        self.token = token_for("Hugging Face Jobs")
        self._retry = retry or Retry()
        self.owner = account_for("Hugging Face Jobs", owner, self._retry)
        self._api = api_of(self.token)
        if "labels" not in inspect.signature(self._api.run_job).parameters:
            raise UsageError("Hugging Face Jobs need a newer client. Install it with: pip install -U huggingface_hub")

    def submit(self, spec: JobSpec, secrets: Mapping[str, str]) -> Job:
        """Start a job, once however often it has to be asked for. `secrets` has the values of those but HF_TOKEN."""
        # A request whose answer was lost may have started the job: it is looked for before it is sent again.
        labels = {**spec.labels(), _SUBMISSION: uuid4().hex}
        tried: list[bool] = []

        def send() -> JobInfo:
            if tried and (found := self._listed({_SUBMISSION: labels[_SUBMISSION]})):
                return found[0]
            tried.append(True)
            return self._api.run_job(
                image=spec.image,
                command=list(spec.command),
                env=spec.variables(),
                secrets={**secrets, TOKEN: self.token},
                flavor=spec.flavor,
                timeout=spec.timeout,
                labels=labels,
                namespace=self.owner,
            )

        return _job(persist(send, "submitting the job", self._retry))

    def find(self, name: str) -> Job:
        """The job with this id, or the newest one that runs the run with this id. Raises UsageError when none does."""
        found = self._inspect(name) if _JOB_ID.fullmatch(name) else None
        if found is None:
            listed = persist(lambda: self._listed({_RUN: _label(name)}), "looking for the job", self._retry)
            jobs = [job for job in map(_job, listed) if job.run_id == name]
            found = max(jobs, key=_age, default=None)
        if found is None:
            raise UsageError(
                f"{self.owner} has no job '{name}' and none of such a run. 'smoltrace jobs list' lists them."
            )
        return found

    def list(self, limit: int | None = None) -> list[Job]:
        """The jobs that smoltrace submitted, the newest first."""
        found = persist(lambda: self._listed(_OURS), "listing the jobs", self._retry)
        return sorted(map(_job, found), key=_age, reverse=True)[:limit]

    def cancel(self, job: Job) -> None:
        persist(lambda: self._api.cancel_job(job_id=job.id, namespace=self.owner), f"cancelling {job.id}", self._retry)

    def log(self, job_id: str, *, follow: bool = False) -> Iterator[str]:
        """The lines of a job's log; with `follow` until it has ended.

        Where the stream breaks off it is taken up again: the Hub tells a log from its beginning, and what was told is
        left out.
        """
        told = failures = 0
        while True:
            # Asked before reading: what a job wrote before its end is in a log that is read after it.
            ended = self._ended(job_id)
            problem: BaseException | None = None
            try:
                for number, line in enumerate(self._stream(job_id, _QUIET_S if follow else _DRAINED_S), start=1):
                    if number > told:
                        told, failures = number, 0
                        yield line
            except network_errors() as error:
                problem = error
            quiet = type(problem).__name__ == "ReadTimeout"
            if (problem is None and (ended or not follow)) or (quiet and not follow):
                return
            if problem is not None and not quiet:
                failures += 1
                if failures >= self._retry.attempts or not _may_pass(problem):
                    raise PublishError(
                        f"reading the log of the job {job_id} failed: {reason_of(problem)}. The job does not notice; "
                        f"read on with: smoltrace jobs logs {job_id} --follow"
                    ) from problem
            time.sleep(self._retry.pause(failures))

    def _ended(self, job_id: str) -> bool:
        found = self._inspect(job_id)
        if found is None:
            raise UsageError(f"{self.owner} has no job '{job_id}'. 'smoltrace jobs list' lists them.")
        return found.has_ended

    def _inspect(self, job_id: str) -> Job | None:
        from huggingface_hub.errors import HfHubHTTPError

        def ask() -> JobInfo | None:
            try:
                return self._api.inspect_job(job_id=job_id, namespace=self.owner)
            except HfHubHTTPError as error:
                if error.response.status_code == 404:
                    return None
                raise

        found = persist(ask, f"asking for the job {job_id}", self._retry)
        return None if found is None else _job(found)

    def _listed(self, labels: Mapping[str, str]) -> Sequence[JobInfo]:
        found = self._api.list_jobs(labels=dict(labels), namespace=self.owner)
        return [job for job in found if labels.items() <= (job.labels or {}).items()]

    def _stream(self, job_id: str, timeout: int) -> Iterator[str]:
        """The lines of the log from its beginning. Not `fetch_job_logs`: that ends without a word where it breaks off,
        and where Ctrl-C was meant for all of it."""
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        url = f"{self._api.endpoint}/api/jobs/{self.owner}/{job_id}/logs"
        headers = build_hf_headers(token=self.token)
        with get_session().stream("GET", url, headers=headers, timeout=timeout) as response:
            hf_raise_for_status(response)
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    text = str(json.loads(line.removeprefix("data: ")).get("data", ""))
                    if not text.startswith("===== Job started"):
                        yield text


def _may_pass(error: BaseException) -> bool:
    """Whether asking again may help. A job that has just been made may have no log yet."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status is None or status in (404, 408, 409, 425, 429) or status >= 500


def _label(run_id: str) -> str:
    """The run id as a label may be: up to 100 letters, digits, dashes and underscores, another one for another id."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", run_id)
    if plain == run_id and len(plain) <= 80:
        return plain
    return f"{plain[:70]}-{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"


def _job(info: JobInfo) -> Job:
    return Job(
        id=str(info.id),
        run_id=(info.environment or {}).get(_RUN_ID),
        stage=str(getattr(info.status.stage, "value", info.status.stage)),
        message=info.status.message,
        flavor=None if info.flavor is None else str(getattr(info.flavor, "value", info.flavor)),
        created_at=info.created_at,
        started_at=getattr(info, "started_at", None),
        finished_at=getattr(info, "finished_at", None),
        url=str(info.url),
    )


def _age(job: Job) -> float:
    return job.created_at.timestamp() if job.created_at else 0.0
