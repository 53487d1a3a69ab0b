"""Our Hub in a process of its own: `python serve_hub.py USER TOKEN` prints its address, and ends when its input does.

Of uploaded files larger than a megabyte it keeps size and checksum alone.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hub_process(user: str = "ann", token: str = "hf_ann") -> Iterator[str]:
    """The address of a Hub that another process serves until the block ends."""
    command = [sys.executable, str(Path(__file__)), user, token]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from support.hub_server import HubServer

    with HubServer(users={sys.argv[2]: sys.argv[1]}) as hub:
        hub.forgets = 1 << 20
        print(hub.url, flush=True)
        sys.stdin.read()
