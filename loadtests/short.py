"""A short load test of a Signstream that it starts and ends: `make loadtest`, `python -m loadtests.short`.

Three cameras, two publishers of landmarks, two viewers and an uploader for 20 s; with Locust's table.
Exits as Locust does: 1 where anything failed.
"""

import argparse
import asyncio
import contextlib
import sys

from loadtests.server import server

USERS = ("Signer", "LandmarkPublisher", "Viewer", "Uploader")

RUN_SECONDS = 20

SESSION_SECONDS = 8
"""The clip's five and some of the next round, so that each session has glosses."""


async def run(options: list[str]) -> int:
    """The exit status of Locust; `options` are added to its own."""
    async with server(sessions_per_worker=4, when_full="queue") as target:
        command = [
            *(sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py", *USERS),
            *("--headless", "--only-summary", "--host", target.url),
            *("--users", "8", "--spawn-rate", "8", "--run-time", f"{RUN_SECONDS}s"),
            *("--session-seconds", str(SESSION_SECONDS), "--view-seconds", "5", *options),
        ]
        process = await asyncio.create_subprocess_exec(*command)
        try:
            return await process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("options", nargs=argparse.REMAINDER, help="Of Locust, such as --clip VIDEO.")
    return asyncio.run(run([each for each in parser.parse_args().options if each != "--"]))


if __name__ == "__main__":
    sys.exit(main())
