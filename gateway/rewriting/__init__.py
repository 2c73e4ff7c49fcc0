"""Glosses as a sentence, by a language model that the operator may name; off by default."""
