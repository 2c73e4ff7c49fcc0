"""What Faust finds under the entry point `faust.transports`: `redis` and `rediss`."""

from typing import Any, ClassVar

import redis
from faust.exceptions import ImproperlyConfigured
from faust.transport import base

from .consumer import Consumer
from .options import Options
from .producer import Producer


class Transport(base.Transport):
    """Redis Streams. Raises ImproperlyConfigured for a broker URL it cannot serve."""

    Consumer: ClassVar[type[Consumer]] = Consumer
    Producer: ClassVar[type[Producer]] = Producer

    default_port = 6379
    driver_version = f"redis-py={redis.__version__}"

    def __init__(self, url: Any, app: Any, loop: Any = None) -> None:
        super().__init__(url, app, loop)
        if len(self.url) != 1:
            raise ImproperlyConfigured(
                f"expected one redis:// broker URL, got {len(self.url)}: a stream lives on one server"
            )
        self.redis_url, self.options = Options.from_url(str(self.url[0]))
