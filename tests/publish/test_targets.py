"""Each place knows its own options, refuses those of others, and a failure says how to try again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.hub_client import use_hub
from support.hub_server import HubServer

import smoltrace.api as api
from smoltrace.cli.publish import command as publish_command
from smoltrace.errors import PublishError, UsageError
from smoltrace.publish import Options, publish
from smoltrace.publish.targets import FLAGS, OPTIONS, check, command

GIVEN = {
    "private": False,
    "owner": "ann",
    "layout": "single",
    "licence": "mit",
    "repo": "ann/x",
    "url": "http://localhost:1",
    "index_prefix": "x",
    "content": False,
}


@pytest.mark.parametrize("to", OPTIONS)
@pytest.mark.parametrize("name", GIVEN)
def test_an_option_of_another_place_is_refused_with_the_place_that_knows_it(to: str, name: str) -> None:
    options = Options(**{name: GIVEN[name]})
    if name in OPTIONS[to]:
        assert options.for_target(to)[name] == GIVEN[name]
    else:
        with pytest.raises(UsageError, match=rf"{FLAGS[name]} is for --to "):
            options.for_target(to)


def test_every_option_has_its_flag_on_the_command_line() -> None:
    known = {flag for option in publish_command.params for flag in (*option.opts, *option.secondary_opts)}
    assert set(FLAGS.values()) <= known
    assert set(GIVEN) == set(FLAGS) == set().union(*OPTIONS.values()) - {"token"}


def test_a_failure_names_the_command_that_tries_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "my store"
    run = api.evaluate(limit=1, agent_type="tool", run_id="r1", store=store)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with HubServer(users={"hf_ann": "ann"}) as hub:
        use_hub(hub.url, monkeypatch, tmp_path)
        with pytest.raises(PublishError, match="results are safe in") as failed:
            publish(run, "hub", Options(private=False, licence="mit"), store=store)
    words = shlex.split(str(failed.value).partition("running anything again: ")[2])
    assert words == ["smoltrace", "publish", "r1", "--public", "--license", "mit", "--store", str(store)]
    parsed = CliRunner().invoke(publish_command, [*words[2:], "--help"])
    assert parsed.exit_code == 0
    assert command(run, "otlp", Options(url="http://x:1", content=False)) == shlex.join(
        ["smoltrace", "publish", str(run.path), "--to", "otlp", "--url", "http://x:1", "--no-content"]
    )


@pytest.mark.parametrize(
    ("to", "url"), [("hub", None), ("space", None), ("otlp", None), ("otlp", "ftp://x"), ("opensearch", None)]
)
def test_what_cannot_work_is_known_before_anything_is_spent(
    to: str, url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OPENSEARCH_URL"):
        monkeypatch.delenv(name, raising=False)
    use_hub("http://127.0.0.1:9", monkeypatch, tmp_path)
    with pytest.raises(UsageError):
        check(to, Options(url=url))
