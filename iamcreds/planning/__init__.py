"""Planning of all credentials of one user and service together; pure."""
