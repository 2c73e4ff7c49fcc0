"""What `asl-words` is made with: every constant of the recipe, in one place, with its reason."""

from shared.landmarks import LEFT_HAND, LEFT_SHOULDER, POSE, RIGHT_HAND, RIGHT_SHOULDER

NAME = "asl-words"

WORDS = (
    "a",
    "can",
    "coffee",
    "get",
    "hello",
    "i",
    "large",
    "medium",
    "muffin",
    "no",
    "please",
    "small",
    "tea",
    "thank-you",
    "water",
)
IDLE, UNKNOWN = "idle", "unknown"
LABELS = (IDLE, UNKNOWN, *WORDS)
"""Idle is rest and everything between signs; unknown is signing that is none of the words."""
BACKGROUND_IDS = (0, 1)

FPS = 12.5
"""The recordings' 20 frames last 1.3 to 2 s: 10 to 15 frames a second."""
WINDOW = 21
"""1.6 s around the middle sample: a word of the recordings with a little of what comes before and after."""
STRIDE = 2
"""0.16 s: a word is seen by four to eight windows, and its times can be interpolated."""
INSET_SAMPLES = 3
"""A window answers with a word while its middle lies this deep inside it: 0.24 s."""

_POSE_POINTS = (0, 2, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
"""Nose, eyes, ears, mouth, shoulders, elbows, wrists: all a webcam shows of the body."""
ROWS = (*(POSE[i] for i in _POSE_POINTS), *LEFT_HAND, *RIGHT_HAND)

PIPELINE: tuple[dict[str, object], ...] = (
    {"name": "square_units"},
    {"name": "body_frame", "left": LEFT_SHOULDER, "right": RIGHT_SHOULDER, "smallest": 0.02},
    {"name": "hand_frames", "wrists": [LEFT_HAND[0], RIGHT_HAND[0]], "smallest": 0.002},
    {"name": "presence", "rows": [LEFT_HAND[0], RIGHT_HAND[0]]},
    {"name": "drop_depth"},
    {"name": "clamp", "limit": 4.0},
    {"name": "zero_missing"},
    {"name": "flatten"},
)

SEED = 20
STEPS, WHETHER_STEPS, SINGLE_STEPS = 2000, 3000, 800
"""Of the shipped networks: which word, whether it is one, and what a single recording shows."""
SINGLES = 3
"""Of the last, whose answers are averaged: one alone errs by its seed as much as was left to gain."""
FOLD_STEPS = 800
"""Of the two larger networks that leave a fold out: five of each are trained to measure."""
BATCH = 32
SINGLE_BATCH = 128
"""Windows of one recording each, a fourth of a stream's samples."""
SINGLE_POOL = 150
"""Batches that are made; each serves about five times: making one takes longer than learning from it."""
SINGLE_IDLE, SINGLE_LETTER = 0.25, 0.15
"""Of those windows show rest or a letter instead of a word."""
STREAM = 64
"""Labelled samples of a training stream; WINDOW - 1 more are context."""
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.05
SMOOTHING = 0.05
RIDGE = 0.1
"""Of a feature's spread over the clips is added to each direction's."""
RIDGE_STEP = 2
"""The regression looks at every second sample: half the weights, as many words right."""
RIDGE_SCALE = 10.0
"""From the regression's 0 or 1 to logits."""
WORD_LOSS = 0.5
"""Weight of telling the words apart wherever one is signed, beside telling them from rest and the unknown."""
AVERAGE = 0.995
"""Decay of the weights' moving average, which is what ships."""
WIDTH = 144
SINGLE_WIDTH = 96
SINGLE_REST, SINGLE_LEAN, SINGLE_WORD = 16.0, 0.75, 0.25
"""Weight of what those networks say of rest, so that it outweighs the two that know streams; how much that is
moved towards rest; and their weight in which word it is."""
DROPOUT = 0.2
"""Few signers: the network must not lean on any one channel."""
FOLDS = 5
BLOCK = 30
"""The signers recorded in blocks of 30 by `seq`; a block is held out whole."""

THRESHOLD = 0.55
MARGIN = 0.2
RELEASE = 0.3
"""Low, so that a weak window does not split a word, and times are taken where the probability is steep."""
CONFIRM = 3
"""Half a second: what looks like a word for less is mostly a hand on its way."""
REST = 1
"""With two, one word of the held-out streams more is read right, and each gloss is final a stride later."""

STREAMING: dict[str, float | int] = {
    "window": WINDOW,
    "stride": STRIDE,
    "threshold": THRESHOLD,
    "margin": MARGIN,
    "release": RELEASE,
    "confirm": CONFIRM,
    "rest": REST,
    "inset": INSET_SAMPLES / FPS,
}
