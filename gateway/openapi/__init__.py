"""What the gateway speaks, described for machines: OpenAPI for HTTP, AsyncAPI for the sockets."""
