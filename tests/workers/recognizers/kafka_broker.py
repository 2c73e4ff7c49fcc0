"""A broker that speaks Kafka's protocol, librdkafka's own for tests: `python -m ...kafka_broker TOPIC`.

Prints its address, and runs until its input ends.
"""

import sys

from confluent_kafka import Producer

if __name__ == "__main__":
    broker = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "none"})
    # It serves no CreateTopics: a topic is there once something was sent to it.
    broker.produce(sys.argv[1], value=b"")
    broker.flush(10)
    (address,) = broker.list_topics(timeout=10).brokers.values()
    print(f"{address.host}:{address.port}", flush=True)
    sys.stdin.read()
