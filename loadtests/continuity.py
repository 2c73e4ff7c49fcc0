"""Whether a viewer was told everything once and in order. Pure."""

import dataclasses


@dataclasses.dataclass
class Continuity:
    """Of one session's events: `seq` rises by one over all types and never repeats within an epoch."""

    after: int = 0
    """The newest `seq` that was told: the cursor to come back with."""
    epoch: str = ""
    received: int = 0
    lost: int = 0
    doubled: int = 0
    epochs: int = 0
    """Times the epoch changed: what was stored before is gone."""

    def take(self, seq: int, epoch: str) -> bool:
        """One more event; whether it is new."""
        if self.epoch and epoch != self.epoch:
            self.epochs += 1
            self.after = 0
        self.epoch = epoch
        self.received += 1
        if seq <= self.after:
            self.doubled += 1
            return False
        self.lost += seq - self.after - 1
        self.after = seq
        return True

    @property
    def failure(self) -> str:
        """What must not be, in words."""
        wrong = {"lost": self.lost, "doubled": self.doubled, "epochs lost": self.epochs}
        return ", ".join(f"{count} {name}" for name, count in wrong.items() if count)
