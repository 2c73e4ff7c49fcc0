"""The shape that steps up by itself, with Locust's runner in the place of a server that gets slow."""

import asyncio
import sys

SCRIPT = """
import locust, types
from loadtests import knee, measurements

clock = [0.0]
knee.time = types.SimpleNamespace(monotonic=lambda: clock[0])
options = types.SimpleNamespace(
    first_users=2, step_users=2, most_users=20, session_seconds=1.0, step_seconds=2.0
)
environment = locust.env.Environment(user_classes=[])
environment.parsed_options = options
shape = knee.KneeShape()
shape.runner = types.SimpleNamespace(environment=environment)
tried = []
while (told := shape.tick()) is not None:
    users = told[0]
    if not tried or tried[-1] != users:
        tried.append(users)
    clock[0] += 1.0
    environment.events.request.fire(
        request_type="GLASS", name=measurements.FINAL, response_time=5000.0 if users > 7 else 500.0,
        response_length=0, exception=None, context={},
    )
print(tried, environment.process_exit_code)
"""


async def test_steps_go_up_until_the_knee_is_known() -> None:
    # In a process of its own: Locust patches the one that imports it for gevent.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SCRIPT), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    lines = said.decode().splitlines()
    assert lines[-2:] == ["knee: 7 users", "[2, 4, 6, 8, 7] 0"]
