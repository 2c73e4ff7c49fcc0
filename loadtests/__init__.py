"""What puts Signstream under load and counts what it leaves behind."""
