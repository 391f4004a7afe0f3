//! One apply at a time: the lock on a tenant.
