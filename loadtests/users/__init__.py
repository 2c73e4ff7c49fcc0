"""Locust's users: each is a source of sessions of one kind."""
