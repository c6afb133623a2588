"""Scripts for `mitmdump -s`: what we are compared with, and the way to the fake provider."""
