//! What the tenant itself remembers of what it runs.
