"""The same against a real OpenSearch, where there is one: SMOLTRACE_TEST_OPENSEARCH=https://user:password@host:9200."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import pytest
from support.runs import execution, failed, make_run

from smoltrace.publish.opensearch.cluster import Cluster
from smoltrace.publish.opensearch.runs import publish_run
from smoltrace.store.read import Run

URL = os.environ.get("SMOLTRACE_TEST_OPENSEARCH")


@pytest.mark.skipif(URL is None, reason="SMOLTRACE_TEST_OPENSEARCH names no OpenSearch to test with")
def test_a_real_opensearch_takes_a_run_twice_and_has_it_once(tmp_path: Path) -> None:
    long = [execution(1, prompt="x" * 40_000, response="long " * 10_000), failed(2, "timeout")]
    run = Run(make_run(tmp_path, long, tags={"branch": "main"}))
    prefix = f"smoltrace-test-{uuid4().hex[:8]}"
    client = Cluster.at(URL).client
    try:
        assert publish_run(run, url=URL, index_prefix=prefix) == publish_run(run, url=URL, index_prefix=prefix)
        client.indices.refresh(index=f"{prefix}-*")
        found = {name: client.count(index=f"{prefix}-{name}")["count"] for name in ("results", "traces", "leaderboard")}
        assert found == {"results": 2, "traces": 2, "leaderboard": 1}
        searches = {
            "results": {"term": {"gen_ai.usage.total_tokens": 330}},
            "traces": {"term": {"spans.name": "chat m"}},
            "leaderboard": {"term": {"tags.branch": "main"}},
        }
        for name, query in searches.items():
            assert client.search(index=f"{prefix}-{name}", body={"query": query})["hits"]["hits"], name
    finally:
        for name in ("results", "traces", "metrics", "leaderboard"):
            client.indices.delete(index=f"{prefix}-{name}", ignore_unavailable=True)
