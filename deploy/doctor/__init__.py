"""`signstream doctor`: goes through what a Signstream needs and says what is wrong, and what to do."""
