"""What the APIs and pages share: middleware, authentication, pagination, problem details."""
