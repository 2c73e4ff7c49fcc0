"""Which blocks of the documents are run where.

Blocks for a shell and those in Python run as they are written in `tests/whole/test_documented_commands.py`,
with the words of SUBSTITUTIONS exchanged. All others, and those of them that cannot run there, stand in
ELSEWHERE with the test that runs or checks them; what a command prints stands in PRINTED.
"""

SUBSTITUTIONS = {
    "http://127.0.0.1:8080": "the running server's address",
    "sessions/ID": "the session of the last upload of the page",
    ".venv/bin/": "nothing: `signstream` is the tree's own",
    "source .venv/bin/activate": "nothing, likewise",
    "redis://127.0.0.1:6379": "a Redis of the test",
}
"""What is exchanged, for what."""

STAND_INS = {
    "make": "make -n: what it would do, for what it does takes a gigabyte; a target that is missing fails",
    "docker": "says nothing, fails where a file or folder that is named is not there",
    "kubectl": "the same",
}
"""Programs that tests cannot run."""

FILES = ("hello.mp4", "order.mp4", "mvit32-2.onnx", "classes.txt")
"""What lies in the folder where commands run, beside what lies in the repository."""

Place = tuple[str, str]
"""A page, and how a block in it begins."""

ELSEWHERE: dict[Place, str] = {
    ("README.md", "make .venv/training.stamp"): (
        "tests/training/test_seed_job.py::test_training_writes_a_bundle_its_record_and_goes_on_in_phases"
        " trains; tests/training/test_extract.py finds the landmarks; needs PyTorch"
    ),
    ("README.md", 'import { connect } from "/signstream.js";'): (
        "tests/docs/test_every_block.py::test_the_readmes_javascript_is_the_clients_own_example"
    ),
    ("docs/models.md", "make .venv/training.stamp"): (
        "tests/whole/test_examples.py::test_a_scikit_learn_model_becomes_a_bundle_that_is_right, with"
        " clips made for it; needs scikit-learn"
    ),
    ("docs/browser.md", 'import { connect } from "/signstream.js";'): (
        "tests/pages/test_signstream.py::test_the_documented_example_hears_what_is_signed: needs a browser"
    ),
    ("docs/browser.md", "<!doctype html>"): (
        "tests/pages/shell/test_documented_page.py::test_a_page_made_as_documented_opens: needs a browser"
    ),
    ("docs/browser.md", 'import { open, say, t } from "/shell/shell.js";'): (
        "tests/pages/shell/test_documented_page.py::test_a_page_made_as_documented_opens: with the one above"
    ),
    ("README.md", "Signstream is ready: http://127.0.0.1:8080"): (
        "tests/whole/server.py::signstream_up awaits this line of every Signstream that the tests start"
    ),
    ("docs/architecture.md", "browser / WHIP client / file ──▶ gateway"): (
        "tests/whole/test_live.py::test_hello_signed_twice_is_two_hellos_while_the_film_plays: a drawing"
    ),
    ("docs/faults.md", "python -m loadtests.chaos"): (
        "tests/loadtests/test_chaos.py::test_a_killed_redis_and_a_lost_one_cost_no_gloss_of_a_file"
    ),
    ("docs/continuous.md", "window k "): ("tests/gateway/results/test_continuous.py: a drawing"),
    ("docs/operations.md", "export SIGNSTREAM_REDIS_URL=redis://127.0.0.1:6379"): (
        "tests/whole/test_scaling.py::test_scaling_to_one_to_zero_and_back_changes_no_transcript starts each"
        " stage so; they run until they are stopped"
    ),
    ("docs/protocol.md", "POST /whip?models=asl-words"): (
        "tests/gateway/test_openapi.py::test_every_described_answer_is_given_and_is_as_described"
    ),
    ("docs/protocol.md", "Link: <turn:turn.example.net"): (
        "tests/gateway/ingest/test_turn.py::test_a_login_is_the_hmac_of_its_name_and_end"
    ),
    ("docs/protocol.md", "POST /whip?session=ID     Authorization"): (
        "tests/gateway/ingest/test_comeback.py::test_to_the_same_gateway"
    ),
    ("docs/protocol.md", "WebSocket /sessions/{id}/landmarks"): (
        "tests/gateway/ingest/test_landmarks.py::test_frames_reach_the_session_as_they_were_sent"
    ),
    ("docs/protocol.md", '{"aud": "signstream"'): (
        "tests/gateway/test_tokens.py::test_a_token_is_good_for_what_it_grants_only"
    ),
    ("docs/protocol.md", "POST /videos?models=asl-words"): (
        "tests/gateway/ingest/test_uploads.py::test_a_form_with_the_field_file_works_too"
    ),
    ("docs/protocol.md", "GET /sessions/{id}/events?after=SEQ[&epoch=E]"): (
        "tests/gateway/results/test_events.py::test_a_viewer_that_comes_back_misses_and_repeats_nothing"
    ),
    (
        "docs/protocol.md",
        '{"seq": 7, "session": "…", "epoch": "…", "type": "gloss", "status": "final", "model": "asl-words",',
    ): "tests/whole/test_documented_commands.py::test_a_gloss_has_the_documented_fields",
    ("docs/loadtests.md", ".venv/bin/locust -f loadtests/locustfile.py"): (
        "tests/loadtests/test_users.py::test_cameras_files_and_viewers_are_measured_and_nothing_is_lost:"
        " against a server of the test"
    ),
    ("docs/loadtests.md", ".venv/bin/locust -f loadtests/knee.py"): (
        "tests/loadtests/test_knee.py::test_steps_go_up_until_the_knee_is_known: minutes with a real server"
    ),
    ("docs/loadtests.md", ".venv/bin/python -m loadtests.soak"): (
        "tests/loadtests/test_soak.py::test_a_soak_is_good_where_nothing_rises_dies_or_is_lost: takes a day"
    ),
    ("docs/loadtests.md", ".venv/bin/python -m loadtests.overload"): (
        "tests/loadtests/test_overload_verdicts.py::test_what_keeps_all_bounds_is_met: wants a machine alone"
    ),
    ("docs/transport.md", '[project.entry-points."faust.transports"]'): (
        "tests/shared/faust_redis/test_docs.py::test_the_documents_entry_points_are_the_projects"
    ),
    ("docs/transport.md", "import faust"): (
        "tests/shared/faust_redis/test_docs.py::test_the_documents_example_greets: in a Faust app of its own"
    ),
}
"""Every other block, and the test that runs or checks it."""

PRINTED: dict[Place, Place] = {
    ("README.md", "0.61 s  to    1.74 s   hello             93%"): (
        "README.md",
        ".venv/bin/signstream recognize hello.mp4",
    ),
}
"""What a block prints, and the block that prints it."""
