"""Faults on a schedule, and what a whole Signstream makes of them; one noun a file."""
