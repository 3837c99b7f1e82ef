"""Bodies of requests and answers, by area."""
