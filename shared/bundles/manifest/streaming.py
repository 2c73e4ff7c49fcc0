"""How a session is cut into windows, and how their answers become glosses."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.bundles.manifest.table import Seconds, Share, Size, Table

RULES = ("threshold", "margin", "release", "confirm", "rest", "inset")
"""What every model without `[ctc]` says of its glosses."""


class Streaming(Table):
    """Lengths in samples or windows, times in seconds."""

    windows: Literal["sliding", "segments", "both"] = "sliding"
    """`sliding`: windows of `window` samples, every `stride`. `segments`: one for each stretch between two
    rests of the hands, of `shortest` to `window` samples. `both`: these and those in one chain."""
    window: Size
    """Samples a window; of segments the most."""
    shortest: Size = 1
    """Samples of the shortest segment that is looked at."""
    padding: Seconds = 0.2
    """A segment begins so long before the hands rise, and ends so long after they rest."""
    stride: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Samples from window to window; 0 with segments."""
    buffer: Literal["slide", "clear", "clear_on_accept"] = "slide"
    """`clear`: windows share no sample, as where the authors empty their buffer after each run.
    `clear_on_accept`: a sign is final once `confirm` windows agree, and no later window shares a sample with
    them."""
    threshold: Share = 0.0
    """A window speaks for a sign from this probability."""
    margin: Share = 0.0
    """And only when the next best sign is this much below it."""
    release: Share = 0.0
    """A sign goes on until its probability falls below this."""
    confirm: Annotated[int, Field(ge=1, le=100)] = 1
    """So many windows must agree before a gloss is final."""
    rest: Annotated[int, Field(ge=1, le=100)] = 1
    """So many windows in a row below `release` end a sign."""
    inset: Seconds = 0.0
    """Seconds a window's middle lies inside the sign when the model begins and ceases to answer with it."""
    emit: Literal["on_change"] = "on_change"
    """A sign that goes on is told once."""

    @model_validator(mode="after")
    def _windows_advance(self) -> "Streaming":
        if self.windows != "segments" and not self.stride:
            raise ValueError(f"stride says {self.stride}, sliding windows expect at least 1")
        if self.windows == "segments" and self.stride:
            raise ValueError(f"stride says {self.stride}, segments have none")
        if self.stride > self.window:
            raise ValueError(
                f"stride says {self.stride}, expected at most the window's {self.window}: windows skip none"
            )
        if self.buffer == "clear" and self.stride != self.window:
            raise ValueError(f"stride says {self.stride}, buffer 'clear' expects the window's {self.window}")
        if self.shortest > self.window:
            raise ValueError(f"shortest says {self.shortest}, longer than window, {self.window}")
        return self
