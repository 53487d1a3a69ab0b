"""`smoltrace eval`: run an evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smoltrace.cli.footprint import footprint_options, given_footprint
from smoltrace.cli.limits import given_limits, limit_options
from smoltrace.cli.server import server_options
from smoltrace.cli.settings import read_settings, tags_of
from smoltrace.cli.telling import outlet_to, publish_options, publishing, tell_run

if TYPE_CHECKING:
    from smoltrace.evaluation.config import EvalConfig

EXAMPLES = """\b
Examples:
  smoltrace eval                                            the built-in suite, the demonstration model, no key
  smoltrace eval tasks.jsonl --model openai/gpt-4o-mini --workers 16
  smoltrace eval hf:owner/tasks@v1 --model hf/Qwen/Qwen3-32B --agent-type tool
  smoltrace eval --base-url http://localhost:8000/v1 --model my-model --temperature 0 --repeats 3
  smoltrace eval --agent my_agents:make_agent --json > summary.json
  smoltrace eval tasks.jsonl --model openai/gpt-4o --max-cost 5 --test-timeout 120 --dry-run
  smoltrace eval --base-url http://localhost:8000/v1 --model my-model --country FRA --power-price 0.21
  smoltrace eval tasks.jsonl --model openai/gpt-4o-mini --publish hub
  smoltrace eval tasks.jsonl --model openai/gpt-4o-mini --otlp http://localhost:6006   Phoenix shows it as it goes

Exit codes: 0 the run is complete, 2 wrong usage or input and nothing was spent, 3 the run is incomplete and can be
resumed with 'smoltrace resume', 4 the run is complete and safe here but publishing it failed.
"""


@click.command("eval", epilog=EXAMPLES)
@click.argument("tasks", default="basics")
@click.option("--split", default="train", show_default=True, help="Split of a Hub dataset.")
@click.option(
    "--model", default="demo", show_default=True, help="Model id, as in openai/gpt-4o, ollama/llama3, hf/ORG/NAME."
)
@server_options
@click.option(
    "--agent-type",
    type=click.Choice(["tool", "code", "both"]),
    default="both",
    show_default=True,
    help="Kind of agent; with both, a task runs with each kind that it is for.",
)
@click.option("--agent", metavar="MODULE:FACTORY", help="Your own agent: a function that returns a smolagents agent.")
@click.option("--workers", type=click.IntRange(1), default=8, show_default=True, help="Tests that run at once.")
@click.option("--repeats", type=click.IntRange(1), default=1, show_default=True, help="Executions of each test.")
@click.option("--limit", type=click.IntRange(1), help="Only the first N tasks.")
@click.option("--difficulty", help="Only tasks of this difficulty.")
@click.option("--category", help="Only tasks of this category.")
@click.option("--max-steps", type=click.IntRange(1), help="Steps an agent may take.")
@click.option("--planning-interval", type=click.IntRange(1), help="Let the agent plan every N steps.")
@click.option("--temperature", type=click.FloatRange(0), help="Sampling temperature, sent with each call.")
@click.option("--top-p", type=click.FloatRange(0, 1), help="Nucleus sampling, sent with each call.")
@click.option("--max-tokens", type=click.IntRange(1), help="Limit on the output of each call.")
@click.option("--frequency-penalty", type=float, help="Sent with each call.")
@click.option("--presence-penalty", type=float, help="Sent with each call.")
@click.option("--seed", type=int, help="Sent with each call; whether answers repeat is up to the server.")
@click.option("--stream", is_flag=True, help="Stream answers, which gives time to first token and between tokens.")
@click.option("--tools", multiple=True, help="Tools by name, comma-separated: our own, smolagents', or MODULE:NAME.")
@click.option("--mcp", multiple=True, help="MCP server by URL or command; repeat for more.")
@click.option("--prompt-file", type=click.Path(path_type=Path), help="Prompt templates (YAML or JSON).")
@click.option("--authorized-imports", multiple=True, help="Modules a code agent may import besides the standard ones.")
@click.option(
    "--scorer",
    "scorers",
    multiple=True,
    metavar="MODULE:NAME",
    help="A scorer of your own, recorded beside the verdict.",
)
@click.option("--price-file", type=click.Path(path_type=Path), help="Prices of your own (TOML or JSON).")
@limit_options
@footprint_options
@click.option(
    "--engine",
    type=click.Choice(["threads", "processes"]),
    default="threads",
    show_default=True,
    help="Where tests run; worker processes can be killed whatever hangs in them.",
)
@click.option(
    "--executor",
    type=click.Choice(["local", "docker", "e2b", "modal", "blaxel"]),
    default="local",
    show_default=True,
    help="Where the code of code agents runs.",
)
@click.option(
    "--working-directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Root of the file tools, which see nothing outside of it.",
)
@click.option(
    "--pass-env", multiple=True, metavar="NAME", help="Secret variable that worker processes keep; repeat for more."
)
@click.option("--no-content", is_flag=True, help="Keep no prompt and no answer.")
@click.option(
    "--redact", multiple=True, metavar="REGEX", help="Mask what matches, as known secrets are; repeat for more."
)
@click.option("--dry-run", is_flag=True, help="Show the plan and an estimate of its cost; spend nothing.")
@click.option("--instrument", multiple=True, help="Also switch on foreign instrumentations: openinference, genai-otel.")
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="Where runs are kept [default: $SMOLTRACE_STORE or ./smoltrace-runs].",
)
@click.option("--run-id", help="Name of the run [default: a new UUID].")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Label the run; repeat for more.")
@click.option("--notes", help="A remark that goes into the leaderboard.")
@click.option("--otlp", metavar="URL", help="Send spans and metrics to this OTLP receiver while the run goes on.")
@publish_options
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=read_settings,
    help="Options from a TOML file; what is typed here wins.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the leaderboard row as one JSON document and nothing else."
)
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def command(as_json: bool, quiet: bool, dry_run: bool, **options: Any) -> int:
    """Run an evaluation and keep its books.

    TASKS is a built-in suite, a .jsonl, .json, .csv or .parquet file, or hf:owner/name[@revision].
    """
    from smoltrace.evaluation.run import run_evaluation

    config = config_from(options)
    outlet = outlet_to(options["otlp"], options["store"])
    if dry_run:
        from smoltrace.cli.dry_run import print_plan
        from smoltrace.evaluation.run import prepare

        print_plan(prepare(config), as_json)
        return 0
    _warn(config, quiet)
    after = publishing(options)
    return tell_run(
        lambda reporter: run_evaluation(config, reporter=reporter, outlet=outlet),
        as_json,
        quiet,
        options["store"],
        after,
    )


def _warn(config: EvalConfig, quiet: bool) -> None:
    """Say what does not hold the code that models write, where that is more than usual."""
    if config.agent_type == "tool" or quiet:
        return
    from smoltrace.agents.containment import containment

    if (warning := containment(config.agent, config.engine)) is not None:
        click.echo(f"Warning: {warning}", err=True)


def config_from(options: dict[str, Any]) -> EvalConfig:
    """The evaluation that the options of the command line ask for. Raises UsageError for a malformed tag."""
    from smoltrace.agents.spec import AgentSpec, GenerationParams, ModelSpec
    from smoltrace.evaluation.config import EvalConfig
    from smoltrace.evaluation.limits import Limits
    from smoltrace.evaluation.meters.footprint import Footprint

    generation = GenerationParams(**{name: options[name] for name in GENERATION})
    model = ModelSpec(
        model_id=options["model"],
        provider=options["provider"],
        base_url=options["base_url"],
        generation=generation,
        request_timeout=options["request_timeout"],
        stream=options["stream"],
    )
    agent = AgentSpec(
        tools=_listed(options["tools"]),
        mcp=tuple(options["mcp"]),
        prompt_file=options["prompt_file"],
        factory=options["agent"],
        max_steps=options["max_steps"],
        planning_interval=options["planning_interval"],
        authorized_imports=_listed(options["authorized_imports"]),
        executor=options["executor"],
        working_directory=options["working_directory"],
    )
    return EvalConfig(
        model=model,
        agent=agent,
        tags=tags_of(options["tags"]),
        instrument=_listed(options["instrument"]),
        limits=Limits(**given_limits(options)),
        footprint=Footprint(**given_footprint(options)),
        record_content=not options["no_content"],
        redact=tuple(options["redact"]),
        pass_env=_listed(options["pass_env"]),
        **{name: options[name] for name in DIRECT},
    )


GENERATION = ("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty", "seed")
DIRECT = (
    *("tasks", "split", "agent_type", "difficulty", "category", "limit", "repeats", "workers"),
    *("scorers", "price_file", "store", "run_id", "notes", "engine"),
)


def _listed(values: Iterable[str]) -> tuple[str, ...]:
    """Values that may be repeated, comma-separated, or both."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())
