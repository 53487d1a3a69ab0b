"""A site of files answers what the server answers, to the last digit."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from support.viewing import serving_files, viewing

from smoltrace.samples.store import make_sample_store
from smoltrace.store.layout import Store
from smoltrace.store.read import Run
from smoltrace.viewer.export import export_site
from smoltrace.viewer.pages import STATIC

NODE = shutil.which("node")
SCRIPT = Path(__file__).parent / "js" / "support" / "agree.mjs"


@pytest.mark.skipif(NODE is None, reason="node is not installed: the browser's side cannot be run here")
def test_a_site_of_files_answers_what_the_server_answers(tmp_path: Path) -> None:
    store = tmp_path / "store"
    make_sample_store(store, runs=6, tests=4)
    export_site([Run(run) for run in Store(store).newest()], tmp_path / "site")
    with viewing(store) as client, serving_files(tmp_path / "site") as site:
        asked = [NODE or "node", str(SCRIPT), str(STATIC / "js"), str(client.base_url), site]
        found = subprocess.run(asked, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert told["differing"] == []
    assert told["compared"] > 150
