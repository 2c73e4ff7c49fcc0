"""The `signstream models` commands: what models there are, and how others come to be among them."""
